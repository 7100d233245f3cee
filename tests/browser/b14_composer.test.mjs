/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 26, 27 and c.9: the composer: limits, drafts, completion,
 * commands, editing, quoting; the sender's half of 50.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { P, Person, launch, wait } from './page.mjs';

let c, b, url, ws, n = 0;
before(async () => {
	/* so that 8,000 characters come before the bytes */
	c = await Cluster.start({ msgs: 1,
	    conf: { msg_server: { msg_max: 32768 } } });
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});
const room = () => `comp${++n}`;
const join = async (o = {}) => {
	const p = await Person.join(b, url, o.name ?? 'Writer',
	    { room: room(), ...o });
	return p;
};
const text = p => p.page.locator('#text');
const send = p => p.page.locator('#send');
const note = p => p.page.locator('#note:not([hidden])');
const own = p => p.page.locator('#log .m.mine');
const options = p => p.page.locator('#complete:not([hidden]) [role=option]');
const value = (p, s) => wait(`the field has "${s}"`,
    async () => await text(p).inputValue() === s);
const messages = p => p.tap.sent('message').map(f => f.msg);
const sent = (p, ...want) => wait(`sent: ${want}`, () =>
    messages(p).length >= want.length).then(() =>
    assert.deepEqual(messages(p), want));
const stored = (p, s) => p.page.waitForFunction(x =>
    (localStorage.getItem('cc.drafts') ?? '').includes(x), s);
const bye = async (p, ...excused) => {
	p.quiet(...excused);
	await p.close();
};

test('page 26: a counter from 90 %; 8,001 characters are not sent', async () => {
	const p = await join();
	const count = p.page.locator('#count');
	await text(p).fill('x'.repeat(7000));
	await text(p).press('End');
	assert.ok(await count.isHidden());
	await text(p).fill('x'.repeat(7200));
	await count.waitFor();
	assert.equal(await count.innerText(), '800 characters left');
	assert.ok(await send(p).isEnabled());
	await text(p).fill('x'.repeat(8001));
	await p.page.locator('#count.over').waitFor();
	assert.equal(await count.innerText(), '1 character too long');
	assert.ok(await send(p).isDisabled());
	await text(p).press('Enter');
	assert.deepEqual(messages(p), []);
	/* a character outside the plane is one; the draft is whole */
	await text(p).fill(`${'x'.repeat(7999)}😀`);
	await wait('it may be sent', () => send(p).isEnabled());
	assert.equal(await count.innerText(), '0 characters left');
	await bye(p);
});
test('page 26: the bound of the server, in bytes', async () => {
	const p = await Person.open(b, url);
	p.tap.down = f => f.cmd === 'login' ?
	    { ...f, limit: { ...f.limit, msg: 4096 } } : f;
	await p.login('Writer', room());
	const count = p.page.locator('#count');
	await text(p).fill('字'.repeat(1300));
	await count.waitFor();
	assert.equal(await count.innerText(), '196 bytes left');
	assert.ok(await send(p).isEnabled());
	await text(p).fill('字'.repeat(1366));
	await p.page.locator('#count.over').waitFor();
	assert.equal(await count.innerText(), '2 bytes too long');
	assert.ok(await send(p).isDisabled());
	await bye(p);
});
test('page 27: drafts: there and back, after a reload, by the picker alone',
    async () => {
	const p = await join(), [a] = await p.page.evaluate(() =>
	    [document.querySelector('.conv').dataset.conv]), z = room();
	await text(p).fill('half a thou');
	await p.page.evaluate(r => { location.hash = `#/r/${r}`; }, z);
	await p.conv(z).waitFor();
	await value(p, '');
	await p.conv(a).locator('.draft').waitFor();
	/* an emoji and nothing else */
	await p.page.locator('#smile').click();
	await p.page.locator('#emoji .emo').first().click();
	const emo = await text(p).inputValue();
	assert.match(emo, /^\p{Emoji}\ufe0f?$/u);
	await p.go(a);
	await value(p, 'half a thou');
	await stored(p, emo);
	await p.page.reload();
	await p.in();
	await p.conv(a).waitFor();
	await p.go(a);
	await value(p, 'half a thou');
	await p.go(z);
	await value(p, emo);
	/* what is sent is no draft any more */
	await text(p).press('Enter');
	await value(p, '');
	await p.page.reload();
	await p.in();
	await value(p, '');
	await bye(p);
});
test('drafts of two tabs: neither forgets what the other wrote', async () => {
	const p = await join(), r = await p.page.evaluate(() =>
	    document.querySelector('.conv').dataset.conv), z = room();
	const q = await Person.open(b, url, { context: p.context });
	await q.login('Writer', z);
	await text(p).fill('of the first');
	await stored(p, 'of the first');
	await text(q).fill('of the second');
	await stored(q, 'of the second');
	const all = await p.page.evaluate(() =>
	    JSON.parse(localStorage.getItem('cc.drafts')));
	assert.deepEqual([all[r], all[z]], ['of the first', 'of the second']);
	q.quiet();
	await bye(p);
});
test('completion: @ : # and / ; arrows, Tab, Enter, Esc', async () => {
	const p = await join();
	const r = await p.page.evaluate(() =>
	    document.querySelector('.conv').dataset.conv);
	const others = [];
	for (const name of ['Alice', 'Alan', '林小雨'])
		others.push(await Client.login(ws, name, r));
	await p.peopleAre(['Writer', 'Alice', 'Alan', '林小雨']);
	await text(p).focus();
	await p.page.keyboard.type('hi @al');
	await wait('two of them', async () => await options(p).count() === 2);
	assert.equal(await text(p).getAttribute('aria-expanded'), 'true');
	/* out and in again: the list of one who is back stays */
	await p.page.evaluate(() => {
		const el = document.querySelector('#text');
		el.blur();
		el.focus();
		return new Promise(r => setTimeout(r, 300));
	});
	assert.equal(await options(p).count(), 2);
	const first = await text(p).getAttribute('aria-activedescendant');
	await text(p).press('ArrowDown');
	await wait('the second one', async () =>
	    await text(p).getAttribute('aria-activedescendant') !== first);
	const name = await options(p).nth(1).innerText();
	await text(p).press('Enter');
	await value(p, `hi @${name.trim().split('\n').pop()} `);
	assert.deepEqual(messages(p), [], 'Enter was for the list');
	assert.equal(await text(p).getAttribute('aria-expanded'), 'false');
	await text(p).fill('');
	await p.page.keyboard.type('你好 @林');
	await options(p).first().waitFor();
	await text(p).press('Tab');
	await value(p, '你好 @林小雨 ');
	/* a face of one letter is none */
	await text(p).fill('');
	await p.page.keyboard.type(':)');
	assert.equal(await options(p).count(), 0);
	await text(p).fill('');
	await p.page.keyboard.type('so :ta');
	await options(p).first().waitFor();
	await text(p).press('Escape');
	await wait('closed', async () => !await options(p).count());
	await value(p, 'so :ta');
	await p.page.keyboard.type('d');
	await options(p).first().waitFor();
	await text(p).press('Enter');
	await value(p, 'so 🎉');
	await text(p).fill('');
	await p.page.keyboard.type(`see #${r.slice(0, 5)}`);
	await options(p).first().click();
	await value(p, `see #${r} `);
	await text(p).fill('');
	await p.page.keyboard.type('/sh');
	await options(p).first().waitFor();
	await text(p).press('Tab');
	await value(p, '/shrug ');
	await text(p).fill('');
	await p.page.keyboard.type('a/sh');
	assert.equal(await options(p).count(), 0, 'only where a line begins');
	/* whom it means goes along, the longest name */
	await text(p).fill('@Alice look');
	await text(p).press('Enter');
	await sent(p, '@Alice look');
	assert.deepEqual(p.tap.sent('message')[0].at, [others[0].uid]);
	for (const o of others)
		await o.bye();
	await bye(p);
});
test(':tada: is the character on the wire; not in code', async () => {
	const p = await join();
	await p.say('done :tada: `:tada:` 12:30:45 :nosuch:');
	await sent(p, 'done 🎉 `:tada:` 12:30:45 :nosuch:');
	/* nor in an address, a word, a ratio */
	const plain = '2001:db8::100:1 std::fire::x 1:100:3 http://a.b/:ok:/';
	await p.say(`${plain} 好:ok:！ :tada::fire:`);
	await wait('both are sent', () => p.tap.sent('message').some(f =>
	    f.msg === `${plain} 好👌！ 🎉🔥`));
	await bye(p);
});
test('half a character, as cutting leaves it, is sent as none', async () => {
	const p = await join();
	await p.page.evaluate(() => {
		const el = document.querySelector('#text');
		el.setRangeText('half a \ud83d smile', 0, 0, 'end');
		el.dispatchEvent(new Event('input'));
	});
	await text(p).press('Enter');
	await wait('it is stored', async () =>
	    await own(p).locator('.mark.sent').count() === 1);
	assert.equal(p.tap.sent('message')[0].msg, 'half a \ufffd smile');
	await bye(p);
});
test('commands', async () => {
	const p = await join();
	const r = await p.page.evaluate(() =>
	    document.querySelector('.conv').dataset.conv);
	const a = await Client.login(ws, 'Ada Chen', r);
	await p.peopleAre(['Writer', 'Ada Chen']);
	await p.say('/nosuch thing');
	await note(p).waitFor();
	assert.match(await note(p).innerText(), /no command \/nosuch/);
	assert.equal(await text(p).inputValue(), '/nosuch thing');
	await text(p).fill('x');
	await wait('the note goes', () => p.page.locator('#note').isHidden());
	await p.say('/shrug well');
	await sent(p, 'well ¯\\_(ツ)_/¯');
	await p.say('//etc/passwd');
	await sent(p, 'well ¯\\_(ツ)_/¯', '/etc/passwd');
	await p.say('/me waves');
	await sent(p, 'well ¯\\_(ツ)_/¯', '/etc/passwd', '*Writer waves*');
	await p.say('/leave');
	await note(p).waitFor();
	await p.say('/msg Nobody hi');
	await wait('nobody', async () =>
	    /Nobody is known/.test(await note(p).innerText()));
	await p.say('/help');
	await p.page.locator('dialog#commands').waitFor();
	await p.page.keyboard.press('Escape');
	await p.page.locator('dialog#commands').waitFor({ state: 'detached' });
	await wait('focus is back', () => p.page.evaluate(() =>
	    document.activeElement?.id === 'text'));
	/* those before are stored: the screen is empty, the log is not */
	await wait('all are sent', async () =>
	    await own(p).locator('.mark.sent').count() === 3);
	await p.say('/clear');
	await wait('the screen is empty', async () =>
	    !await p.page.locator('#log .m').count());
	assert.equal((await a.history(r)).list.length, 3);
	await p.say('/msg ada chen in private');
	await p.conv(`@${a.uid}`).waitFor();
	await wait('it is private', () => p.tap.sent('message').some(f =>
	    f.tid === a.uid && f.msg === 'in private'));
	const z = room();
	await p.say(`/join ${z}`);
	await p.conv(z).locator('a.go[aria-current=page]').waitFor();
	await value(p, '');
	await p.say('/leave');
	await p.conv(z).waitFor({ state: 'detached' });
	await p.conv(r).waitFor();
	await a.bye();
	await bye(p);
});
test('up in an empty field: the failed one again, else the last one anew',
    async () => {
	const r = room(), p = await join({ room: r });
	const a = await Client.login(ws, 'Other', r);
	let refuse = true;
	p.tap.up = (f, s) => {
		if (f.cmd !== 'message' || !refuse)
			return f;
		s.ws.send(JSON.stringify({ cmd: 'error', errCode: 403,
		    errMsg: 'muted', cid: f.cid }));
		return null;
	};
	await p.say('first one');
	await own(p).locator('.fail').waitFor();
	refuse = false;
	await text(p).press('ArrowUp');
	await own(p).locator('.mark.sent').waitFor();
	const [x, y] = p.tap.sent('message');
	assert.equal(x.cid, y.cid);
	/* now there is none that failed */
	await text(p).press('ArrowUp');
	const bar = p.page.locator('#editing:not([hidden])');
	await bar.waitFor();
	await value(p, 'first one');
	await text(p).press('Escape');
	await wait('no bar', async () => !await bar.count());
	await value(p, '');
	await text(p).press('ArrowUp');
	await bar.waitFor();
	await text(p).fill('second thought');
	await text(p).press('Enter');
	await wait('no bar', async () => !await bar.count());
	await value(p, '');
	await p.sees('second thought');
	const e = p.tap.sent('edit');
	assert.equal(e.length, 1);
	assert.equal(e[0].msg, 'second thought');
	assert.equal((await a.next('edit')).msg, 'second thought');
	await a.bye();
	await bye(p);
});
test('page 50: who writes says so, once in 3 s, and where it is known',
    async () => {
	const r = room(), p = await join({ room: r });
	const a = await Client.login(ws, 'Other', r);
	const t0 = Date.now();
	await text(p).focus();
	await p.page.keyboard.type('abcdefghij', { delay: 20 });
	await wait('a frame', () => p.tap.sent('typing').length);
	const f = await a.next('typing');
	assert.equal(f.name, 'Writer');
	const on = p.tap.sent('typing').filter(x => x.on);
	assert.ok(on.length <= 1 + (Date.now() - t0) / 3000, `${on.length}`);
	/* commands are the page's own business */
	const had = p.tap.sent('typing').length;
	await text(p).fill('');
	await text(p).fill('/help');
	assert.ok(p.tap.sent('typing').length <= had + 1);
	await a.bye();
	await bye(p);
});
test('a phone: Enter is a line, the button sends; Ctrl+Enter, too', async () => {
	const p = await join({ viewport: P, touch: true });
	await text(p).focus();
	await p.page.keyboard.type('one');
	await text(p).press('Enter');
	await p.page.keyboard.type('two');
	await value(p, 'one\ntwo');
	assert.deepEqual(messages(p), []);
	await send(p).tap();
	await sent(p, 'one\ntwo');
	await text(p).fill('three');
	await text(p).press('Control+Enter');
	await sent(p, 'one\ntwo', 'three');
	await bye(p);
});
test('a long paste may be made a block of code', async () => {
	const p = await join();
	const long = 'int x;\n'.repeat(700);
	await text(p).focus();
	await text(p).evaluate((t, s) => {
		const d = new DataTransfer();
		d.setData('text/plain', s);
		t.dispatchEvent(new ClipboardEvent('paste', { clipboardData: d,
		    bubbles: true, cancelable: true }));
		/* what the browser does by itself */
		document.execCommand('insertText', false, s);
	}, long);
	await note(p).getByRole('button').click();
	await value(p, `\`\`\`\n${long}\`\`\`\n`);
	await bye(p);
});
test('emoji: found, chosen by keys, remembered; Esc gives the focus back',
    async () => {
	const p = await join();
	const smile = p.page.locator('#smile');
	const box = p.page.locator('#emoji');
	await smile.click();
	await box.waitFor();
	await p.page.keyboard.type('rock');
	await wait('one is found', async () =>
	    await box.locator('.emos:not(.last) .emo').count() === 1);
	await p.page.keyboard.press('Enter');
	await value(p, '🚀');
	await box.waitFor({ state: 'hidden' });
	await smile.click();
	await box.locator('.last .emo').first().waitFor();
	assert.equal(await box.locator('.last .emo').first().innerText(), '🚀');
	/* by what is seen: down from the last ones to what stands below */
	const at = () => p.page.evaluate(() => {
		const el = document.activeElement, r = el.getBoundingClientRect();
		return { x: r.left, y: r.top, emo: el.className };
	});
	await p.page.keyboard.press('ArrowDown');
	await p.page.keyboard.press('ArrowRight');
	const up = await at();
	await p.page.keyboard.press('ArrowDown');
	const down = await at();
	assert.match(down.emo, /emo/);
	assert.ok(Math.abs(up.x - down.x) < 4 && down.y > up.y);
	await p.page.keyboard.press('ArrowUp');
	assert.deepEqual(await at(), up);
	await p.page.keyboard.press('ArrowUp');
	assert.match((await at()).emo, /field/);
	await p.page.keyboard.press('ArrowDown');
	await p.page.keyboard.press('End');
	await p.page.keyboard.press('Escape');
	await box.waitFor({ state: 'hidden' });
	assert.equal(await p.page.evaluate(() => document.activeElement?.id),
	    'smile');
	assert.equal(await smile.getAttribute('aria-expanded'), 'false');
	await bye(p);
});
