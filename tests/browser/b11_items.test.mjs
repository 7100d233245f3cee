/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * What becomes of a message: edits, recalls, reactions, titles, and the menu
 * from which they are asked for (page.md c.5; features 46 to 48, 63).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { P, Person, launch, wait } from './page.mjs';

let c, b, url, ws, n = 0;
before(async () => {
	c = await Cluster.start({ msgs: 1, conf: { msg_server:
	    { room_title: 'any' } } });
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});
const room = () => `item${++n}`;
/* A row by the text it began with: its seq. */
const seqOf = async (p, text) => {
	const row = await p.sees(text);
	return wait('its seq', async () =>
	    Number(await row.getAttribute('data-seq')));
};
const at = (p, seq) => p.page.locator(`#log .m[data-seq="${seq}"]`);
const chips = (p, seq) => at(p, seq).locator('.react').allInnerTexts();
const body = (p, seq) => at(p, seq).locator('.text').innerText();
/* What is in the field; it may come late. */
const field = (p, want) => wait(`${want} in the field`, async () =>
    want.test(await p.page.locator('#text').inputValue()));
/* The menu of a row, with the other button of the mouse. */
async function
menu(p, seq)
{
	await at(p, seq).locator('.text').click({ button: 'right' });
	const m = p.page.locator('#menu');
	await m.waitFor();
	return m;
}
/* Nothing of it is anywhere in the page. */
const nowhere = (p, s) => p.page.evaluate(x => {
	const all = [document.documentElement.textContent,
	    ...[...document.querySelectorAll('*')].flatMap(el =>
	    [...el.attributes].map(a => a.value))];
	return !all.some(t => t.includes(x));
}, s);

test('an edit: the text, a mark with its time; here, there, after a reload',
    async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const q = await Person.join(b, url, 'Bea', { room: r });
	await p.say('first wrods');
	const seq = await seqOf(p, 'first wrods');
	await q.sees('first wrods');
	await p.page.locator('#log .m .mark.sent').waitFor();
	await (await menu(p, seq)).locator('[data-act=edit]').click();
	await field(p, /^first wrods$/);
	await p.page.locator('#text').fill('first **words**');
	await p.page.locator('#text').press('Enter');
	for (const x of [p, q]) {
		await wait('edited', async () =>
		    await body(x, seq) === 'first words');
		const mark = at(x, seq).locator('.edited');
		await mark.waitFor();
		assert.match(await mark.getAttribute('title'), /\d\d:\d\d/);
		assert.equal(await at(x, seq).locator('strong').count(), 1);
	}
	await q.page.reload();
	await q.in();
	await wait('edited', async () => await body(q, seq) === 'first words');
	await at(q, seq).locator('.edited').waitFor();
	/* another's message has no such choice */
	const m = await menu(q, seq);
	assert.equal(await m.locator('[data-act=edit], [data-act=recall]')
	    .count(), 0);
	p.quiet();
	q.quiet();
	await p.close();
	await q.close();
});

test('a recall: nothing of it is left, and no badge for it', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await a.say(r, 'the secret word');
	const seq = await seqOf(p, 'the secret word');
	/* read out, too */
	await p.page.locator('#said').getByText('the secret word')
	    .waitFor({ state: 'attached' });
	/* out of sight: another conversation is open */
	await p.page.evaluate(() => { location.hash = '#/r/other'; });
	await p.page.locator('.conv[data-conv="other"] [aria-current=page]')
	    .waitFor();
	await a.cmd({ cmd: 'edit', rid: r, ref: seq, msg: 'the secret name' });
	await a.cmd({ cmd: 'react', rid: r, ref: seq, emo: '👍', on: true });
	await a.cmd({ cmd: 'recall', rid: r, ref: seq });
	await wait('the recall is here', () =>
	    p.tap.in.some(f => f.cmd === 'recall' && f.ref === seq));
	await p.frames(3);
	assert.equal(await p.conv(r).locator('.badge').isVisible(), false);
	await p.go(r);
	await at(p, seq).locator('.text.gone').waitFor();
	assert.deepEqual(await chips(p, seq), []);
	assert.equal(await at(p, seq).locator('.edited').count(), 0);
	assert.ok(await nowhere(p, 'the secret'));
	assert.doesNotMatch(await p.page.locator('#said').innerText(), /secret/);
	await p.page.reload();
	await p.in();
	await p.go(r);
	await at(p, seq).locator('.text.gone').waitFor();
	assert.ok(await nowhere(p, 'the secret'));
	/* my own, by the menu */
	await p.say('mine, too early');
	const mine = await seqOf(p, 'mine, too early');
	await at(p, mine).locator('.mark.sent').waitFor();
	await (await menu(p, mine)).locator('[data-act=recall]').click();
	await at(p, mine).locator('.text.gone').waitFor();
	await a.next(f => f.cmd === 'recall' && f.ref === mine);
	p.quiet();
	await p.close();
	await a.bye();
});

test('taken back elsewhere while it is written anew: the words stay', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const text = p.page.locator('#text');
	await p.say('as it was');
	const seq = await seqOf(p, 'as it was');
	await text.press('ArrowUp');
	await field(p, /^as it was$/);
	await text.fill('much longer, with care');
	/* as another device of hers would have it */
	p.tap.give({ cmd: 'recall', rid: r, ref: seq, uid: p.uid, name: 'Amy',
	    seq: seq + 1, ts: Date.now() });
	await at(p, seq).locator('.text.gone').waitFor();
	await text.press('Enter');
	await p.page.locator('#note:not([hidden])').filter({ hasText: 'taken back' })
	    .waitFor();
	assert.equal(await text.inputValue(), 'much longer, with care');
	assert.deepEqual(p.tap.sent('edit'), []);
	p.quiet();
	await p.close();
});
test('reactions: counted, mine marked, a click takes it back', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await a.say(r, 'who comes?');
	const seq = await seqOf(p, 'who comes?');
	await a.cmd({ cmd: 'react', rid: r, ref: seq, emo: '👍', on: true });
	await wait('one', async () => (await chips(p, seq)).join() === '👍 1');
	const chip = at(p, seq).locator('.react[data-emo="👍"]');
	assert.equal(await chip.getAttribute('aria-pressed'), 'false');
	assert.equal(await chip.getAttribute('title'), 'Ada');
	await chip.click();
	await wait('two', async () => (await chips(p, seq)).join() === '👍 2');
	assert.equal(await chip.getAttribute('aria-pressed'), 'true');
	await a.next(f => f.cmd === 'react' && f.ref === seq && f.on);
	/* from the menu, another one; then by the picker, a third */
	await (await menu(p, seq)).locator('.quick .emo').nth(3).click();
	await wait('three', async () => (await chips(p, seq)).length === 2);
	await (await menu(p, seq)).locator('[data-act=emoji]').click();
	await p.page.locator('#menu input').fill('rocket');
	await p.page.locator('#menu .emos:not(.last) button.emo').first().click();
	await wait('a rocket', async () =>
	    (await chips(p, seq)).join() === '👍 2,🎉 1,🚀 1');
	await chip.click();
	await wait('one again', async () =>
	    (await chips(p, seq)).join() === '👍 1,🎉 1,🚀 1');
	await a.next(f => f.cmd === 'react' && f.ref === seq && !f.on);
	await p.page.reload();
	await p.in();
	await wait('after a reload', async () =>
	    (await chips(p, seq)).join() === '👍 1,🎉 1,🚀 1');
	p.quiet();
	await p.close();
	await a.bye();
});

test('refused: what was there is there again, and a word of it', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.say('as it was');
	const seq = await seqOf(p, 'as it was');
	await at(p, seq).locator('.mark.sent').waitFor();
	const held = [];
	p.tap.up = (f, s) => {
		if (!['edit', 'recall', 'react'].includes(f.cmd))
			return f;
		held.push(() => s.ws.send(JSON.stringify({ cmd: 'error', cid: f.cid,
		    errCode: 403, errMsg: 'no' })));
		return null;
	};
	const refuse = async toast => {
		await wait('it is asked', () => held.length === 1);
		held.shift()();
		if (!toast)
			return;
		await p.page.locator('.toast.bad').waitFor();
		/* it would be in the way of the mouse */
		await p.page.locator('#toasts').evaluate(el => el.replaceChildren());
	};
	await (await menu(p, seq)).locator('.quick .emo').first().click();
	await wait('hoped', async () => (await chips(p, seq)).join() === '👍 1');
	await refuse(true);
	await wait('none', async () => !(await chips(p, seq)).length);
	await (await menu(p, seq)).locator('[data-act=recall]').click();
	await at(p, seq).locator('.text.gone').waitFor();
	await refuse(true);
	await wait('back', async () => await body(p, seq) === 'as it was');
	await (await menu(p, seq)).locator('[data-act=edit]').click();
	await field(p, /^as it was$/);
	await p.page.locator('#text').fill('changed');
	await p.page.locator('#text').press('Enter');
	await wait('hoped', async () => await body(p, seq) === 'changed');
	await refuse();
	await wait('back', async () => await body(p, seq) === 'as it was');
	assert.equal(await at(p, seq).locator('.edited').count(), 0);
	p.quiet();
	await p.close();
});

test('of messages that are not loaded yet, and no badge for any', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	for (let i = 1; i <= 220; i++)
		await a.say(r, `m${i}`);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.sees('m220');
	await p.page.evaluate(() => { location.hash = '#/r/other'; });
	await p.page.locator('.conv[data-conv="other"] [aria-current=page]')
	    .waitFor();
	await a.cmd({ cmd: 'edit', rid: r, ref: 3, msg: 'three' });
	await a.cmd({ cmd: 'recall', rid: r, ref: 4 });
	await a.cmd({ cmd: 'react', rid: r, ref: 5, emo: '🎉', on: true });
	const last = await a.cmd({ cmd: 'edit', rid: r, ref: 220, msg: 'end' });
	await wait('all are here', () => p.tap.in.some(f => f.seq === last.seq));
	await p.frames(3);
	assert.equal(await p.conv(r).locator('.badge').isVisible(), false);
	assert.doesNotMatch(await p.page.title(), /^(•|\()/);
	await p.go(r);
	await wait('the last', async () => await body(p, 220) === 'end');
	await wait('the top', async () => {
		await p.page.locator('#log').evaluate(el => { el.scrollTop = 0; });
		return await at(p, 1).count();
	});
	assert.equal(await body(p, 3), 'three');
	assert.equal(await at(p, 4).locator('.text.gone').count(), 1);
	assert.deepEqual(await chips(p, 5), ['🎉 1']);
	p.quiet();
	await p.close();
	await a.bye();
});

test('what changes above moves nothing that is read', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	for (let i = 1; i <= 60; i++)
		await a.say(r, `m${i}`);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.sees('m60');
	const y = () => at(p, 30).evaluate(el => el.getBoundingClientRect().top);
	await p.page.locator('#log').evaluate(el => {
		el.scrollTop = 0;
		const k = el.querySelector('.m[data-seq="20"]');
		el.scrollTop += k.getBoundingClientRect().top -
		    el.getBoundingClientRect().top;
	});
	await p.frames(3);
	const was = await y();
	await a.cmd({ cmd: 'edit', rid: r, ref: 15, msg: 'long\n'.repeat(9) });
	await a.cmd({ cmd: 'react', rid: r, ref: 16, emo: '👍', on: true });
	await a.cmd({ cmd: 'react', rid: r, ref: 25, emo: '👍', on: true });
	const last = await a.cmd({ cmd: 'recall', rid: r, ref: 18 });
	await wait('all are here', () => p.tap.in.some(f => f.seq === last.seq));
	await at(p, 18).locator('.text.gone').waitFor();
	await p.frames(3);
	assert.ok(Math.abs(await y() - was) <= 1, `${await y() - was} px`);
	p.quiet();
	await p.close();
	await a.bye();
});

test('titles: in the list, the head and the page; hostile ones are text',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	const is = async want => {
		await wait(want, async () =>
		    await p.page.locator('#title').innerText() === want);
		assert.equal(await p.conv(r).locator('.title').innerText(), want);
		assert.equal(await p.page.title(), `${want} · CChat`);
	};
	await is(r);
	await a.cmd({ cmd: 'title', rid: r, title: '<b>开发</b> dev' });
	await is('<b>开发</b> dev');
	assert.equal(await p.page.locator('#title').getAttribute('dir'), 'auto');
	assert.equal(await p.conv(r).locator('.title').getAttribute('dir'),
	    'auto');
	assert.equal(await p.page.locator('#title b, #rooms b').count(), 0);
	/* at the login, too */
	await p.page.reload();
	await p.in();
	await is('<b>开发</b> dev');
	/* a server that lets anything through */
	const seq = Math.max(...p.tap.in.map(f => f.seq ?? 0), await p.page
	    .evaluate(() => 0)) + 1;
	p.tap.give({ cmd: 'title', rid: r, seq, ts: Date.now(), uid: 'x',
	    name: 'X', title: `\u202eevil\u2066${'x'.repeat(500)}` });
	await is(`evil${'x'.repeat(60)}`);
	p.quiet();
	await p.close();
	await a.bye();
});

test('the menu: mouse, keys, finger; quote, mention, copy, private chat',
    async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await a.say(r, 'one\ntwo');
	await p.sees('one\ntwo');
	const seq = Number(await p.page.locator('#log .m').last()
	    .getAttribute('data-seq'));
	const text = p.page.locator('#text');
	/* tools over the row under the mouse */
	await at(p, seq).hover();
	const tools = at(p, seq).locator('.tools');
	await tools.waitFor();
	await tools.locator('[data-tool=quote]').click();
	await field(p, /^> one\n> two\n/);
	await text.fill('');
	await at(p, seq).hover();
	await tools.locator('[data-tool=more]').click();
	await p.page.locator('#menu [data-act=mention]').click();
	await field(p, /@Ada /);
	await text.fill('');
	/* keys: to the row, its menu, through it, out again */
	await p.page.locator('#log').focus();
	await p.page.keyboard.press('ArrowUp');
	const focus = () => p.page.evaluate(() => document.activeElement.dataset
	    .seq ?? document.activeElement.dataset.act ??
	    document.activeElement.id);
	await wait('the row', async () => await focus() === String(seq));
	await p.page.keyboard.press('m');
	await p.page.locator('#menu').waitFor();
	for (const want of ['quote', 'copy', 'mention', 'tell', 'quote']) {
		await p.page.keyboard.press('ArrowDown');
		assert.equal(await focus(), want);
	}
	await p.page.keyboard.press('Escape');
	await p.page.locator('#menu').waitFor({ state: 'detached' });
	assert.equal(await focus(), String(seq));
	await p.page.keyboard.press('Enter');
	await p.page.locator('#menu').waitFor();
	await p.page.locator('#menu [data-act=copy]').press('Enter');
	await p.page.locator('.toast').getByText('Copied').waitFor();
	/* what was copied comes out of the clipboard */
	await text.focus();
	await p.page.keyboard.press('Control+v');
	await field(p, /^one\ntwo$/);
	await text.fill('');
	await (await menu(p, seq)).locator('[data-act=tell]').click();
	await p.page.locator(`.conv[data-conv="@${a.uid}"] [aria-current=page]`)
	    .waitFor();
	p.quiet();
	await p.close();

	/* a finger that stays */
	const q = await Person.open(b, url, { viewport: P, touch: true });
	/* one that was lifted while the menu's code was coming is a tap */
	let go;
	const held = new Promise(on => { go = on; });
	await q.page.route('**/lazy/menu.js', async route => {
		await held;
		await route.continue();
	});
	const asked = q.page.waitForEvent('requestfinished', x =>
	    x.url().endsWith('/lazy/menu.js'));
	await q.login('Bea', r);
	await at(q, seq).waitFor();
	await at(q, seq).locator('.text').tap();
	go();
	await asked;
	/* a time in which a long press would open it */
	await sleep(700);
	assert.equal(await q.page.locator('#menu').count(), 0);
	const box = await at(q, seq).locator('.text').boundingBox();
	const touch = await q.context.newCDPSession(q.page);
	await touch.send('Input.dispatchTouchEvent', { type: 'touchStart',
	    touchPoints: [{ x: box.x + 10, y: box.y + 10 }] });
	const sheet = q.page.locator('#menu');
	await sheet.waitFor();
	await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd',
	    touchPoints: [] });
	await q.frames(3);
	assert.equal(await sheet.count(), 1, 'lifting the finger closes nothing');
	const edge = await sheet.boundingBox();
	assert.ok(Math.abs(edge.y + edge.height - P.height) <= 1 &&
	    edge.width === P.width, 'at the lower edge');
	for (const el of await sheet.locator('button').all())
		assert.ok((await el.boundingBox()).height >= 44);
	await q.page.touchscreen.tap(100, 100);
	await sheet.waitFor({ state: 'detached' });
	q.quiet();
	await q.close();
	await a.bye();
});

test('a server that lacks them: no such choice', async () => {
	const r = room(), a = await Client.login(ws, 'Ada', r);
	const p = await Person.join(b, url, 'Amy', { room: r });
	await p.say('mine');
	const seq = await seqOf(p, 'mine');
	await at(p, seq).locator('.mark.sent').waitFor();
	p.tap.up = (f, s) => {
		if (!['edit', 'recall', 'react'].includes(f.cmd))
			return f;
		s.ws.send(JSON.stringify({ cmd: 'error', cid: f.cid, errCode: 102,
		    errMsg: 'no such command' }));
		return null;
	};
	await (await menu(p, seq)).locator('.quick .emo').first().click();
	await wait('it is known', async () => {
		const m = await menu(p, seq);
		const left = await m.locator('.quick').count();
		await p.page.locator('#toasts').evaluate(el =>
		    el.replaceChildren());
		await p.page.keyboard.press('Escape');
		return !left;
	});
	await (await menu(p, seq)).locator('[data-act=recall]').click();
	await wait('it is known', async () => {
		const m = await menu(p, seq);
		const left = await m.locator('[data-act=recall]').count();
		await p.page.keyboard.press('Escape');
		return !left;
	});
	assert.equal(await body(p, seq), 'mine');
	await p.page.locator('#log').hover();
	p.quiet();
	await p.close();
	await a.bye();
});
