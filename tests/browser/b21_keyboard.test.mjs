/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 53: a whole session without a mouse; the focus is always
 * somewhere, and to be seen.  And the map of c.14.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { LONG, Person, launch, wait } from './page.mjs';

let c, b, url, ws, n = 0;
before(async () => {
	c = await Cluster.start({ msgs: 1 });
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch();
});
after(async () => {
	await b?.close();
	await c?.stop();
});
const room = () => `keys${++n}`;

/* Where the focus is: something that shows it, never nothing. */
const focus = (p, what) => p.page.evaluate(w => {
	const el = document.activeElement;
	const r = el?.getBoundingClientRect();
	if (!el || el === document.body || !r.width || !r.height)
		throw new Error(`${w}: the focus is lost`);
	const at = [el, el.closest('.box')].filter(Boolean).map(x =>
	    getComputedStyle(x));
	if (!el.matches(':focus-visible') || !at.some(s =>
	    s.outlineStyle !== 'none' || s.boxShadow !== 'none'))
		throw new Error(`${w}: the focus of ${el.id || el.className} ` +
		    'is not seen');
	return el.id || el.dataset.act || el.className || el.tagName;
}, what);
/* Presses a key until the focus is there. */
const walk = (p, key, to) => wait(`${key} to ${to}`, async () => {
	await p.page.keyboard.press(key);
	await focus(p, `on the way to ${to}`);
	return p.page.evaluate(s => document.activeElement.matches(s), to);
});

test('page 53: a session by keyboard alone', async () => {
	const p = await Person.open(b, url), k = p.page.keyboard;
	const a = room(), z = room();
	const bob = await Client.login(ws, 'Bob', z);
	await p.page.waitForFunction(() => document.activeElement.id === 'name',
	    null, LONG);
	await k.type('Amy');
	await k.press('Tab');
	assert.equal(await focus(p, 'login'), 'room');
	await k.press('Control+a');
	await k.type(a);
	await k.press('Enter');
	await p.in();
	assert.equal(await focus(p, 'in the chat'), 'text');
	/* another room */
	await k.press('Control+k');
	await p.page.locator('dialog#switcher').waitFor(LONG);
	await focus(p, 'switcher');
	await k.type(z);
	await k.press('Enter');
	await p.page.locator(`.conv[data-conv="${z}"] a.go[aria-current=page]`)
	    .waitFor(LONG);
	assert.equal(await focus(p, 'in the room'), 'text');
	/* write and send */
	await k.type('by hand');
	await k.press('Enter');
	await bob.hear('by hand');
	assert.equal(await focus(p, 'sent'), 'text');
	/* an emoji */
	await walk(p, 'Tab', '#smile');
	await k.press('Enter');
	await p.page.locator('#emoji button.emo').first().waitFor(LONG);
	await wait('the picker has the focus', () => p.page.evaluate(() =>
	    document.querySelector('#emoji').contains(document.activeElement)));
	await focus(p, 'picker');
	await walk(p, 'Tab', 'button.emo');
	const emo = await p.page.evaluate(() => document.activeElement.textContent);
	await k.press('Enter');
	await wait('it is in the field', async () =>
	    (await p.page.locator('#text').inputValue()).includes(emo));
	assert.equal(await focus(p, 'chosen'), 'text');
	await k.press('Control+a');
	await k.press('Delete');
	/* one that fails, and goes after all */
	p.tap.up = f => {
		if (f.cmd !== 'message')
			return f;
		p.tap.give({ cmd: 'error', errCode: 403, errMsg: 'no', cid: f.cid });
		return null;
	};
	await k.type('once more');
	await k.press('Enter');
	await p.page.locator('#log .m[data-state=failed]').waitFor(LONG);
	p.tap.up = f => f;
	await focus(p, 'failed');
	await walk(p, 'Shift+Tab', '[data-act=retry]');
	await k.press('Enter');
	await bob.hear('once more');
	await p.page.locator('#log .m[data-state=failed]').waitFor(
	    { state: 'detached', ...LONG });
	await focus(p, 'retried');
	/* people: closed, opened, gone to, somebody chosen */
	await k.press('Control+.');
	await p.page.locator('#aside').waitFor({ state: 'hidden', ...LONG });
	await focus(p, 'people closed');
	await k.press('Control+.');
	await p.page.locator('#aside').waitFor(LONG);
	await walk(p, 'F6', '#find-people');
	await k.type('Bo');
	await p.page.locator(`.person[data-uid="${bob.uid}"]`).waitFor(LONG);
	await walk(p, 'ArrowDown', `.person[data-uid="${bob.uid}"] .go`);
	await k.press('Enter');
	await p.conv(`@${bob.uid}`).waitFor(LONG);
	assert.equal(await focus(p, 'in private'), 'text');
	await k.type('psst');
	await k.press('Enter');
	await bob.hear('psst');
	/* settings and back to where we were */
	await k.press('Control+,');
	await p.page.locator('dialog#settings').waitFor(LONG);
	await focus(p, 'settings');
	await k.press('Escape');
	await p.page.locator('dialog#settings').waitFor({ state: 'detached', ...LONG });
	assert.equal(await focus(p, 'settings closed'), 'text');
	/* out */
	await walk(p, 'F6', '#side *');
	await walk(p, 'Tab', '#out');
	await k.press('Enter');
	await p.page.locator('#login-view:not([hidden])').waitFor(LONG);
	await p.page.waitForFunction(() => document.activeElement.id === 'name',
	    null, LONG);
	p.quiet();
	await p.close();
	await bob.bye();
});
test('keys pressed before their module has come are not lost', async () => {
	const p = await Person.open(b, url);
	let go;
	const held = new Promise(r => { go = r; });
	await p.page.route(/lazy\/keys\.js/, async r => {
		await held;
		await r.continue();
	});
	await p.page.locator('#name').fill('Amy');
	await p.page.locator('#room').fill(room());
	await p.page.keyboard.press('Enter');
	await p.in();
	await p.page.keyboard.press('Control+k');
	go();
	await p.page.locator('dialog#switcher').waitFor(LONG);
	await p.page.keyboard.press('Escape');
	await p.page.locator('dialog#switcher').waitFor(
	    { state: 'detached', ...LONG });
	p.quiet();
	await p.close();
});
test('the map: parts, conversations, the list; letters only in the log',
    async () => {
	const r = room(), s = room(), t = room();
	const p = await Person.join(b, url, 'Amy', { room: r }), k = p.page.keyboard;
	const bob = await Client.login(ws, 'Bob', r);
	await bob.say(r, 'one');
	await p.sees('one');
	for (const x of [s, t]) {
		await k.press('Control+k');
		await p.page.locator('dialog#switcher').waitFor(LONG);
		await k.type(x);
		await k.press('Enter');
		await p.page.locator(`.conv[data-conv="${x}"] a.go` +
		    '[aria-current=page]').waitFor(LONG);
	}
	const here = x => p.page.locator(`.conv[data-conv="${x}"] a.go` +
	    '[aria-current=page]').waitFor(LONG);
	/* a key right after the one that chose a room is heard, too */
	await k.press('Control+k');
	await p.page.locator('dialog#switcher').waitFor(LONG);
	await k.type(s);
	await p.page.evaluate(() => {
		const press = (at, o) => document.querySelector(at).dispatchEvent(
		    new KeyboardEvent('keydown', { bubbles: true, cancelable: true,
		    ...o }));
		press('dialog#switcher input', { key: 'Enter' });
		press('#text', { key: 'ArrowDown', altKey: true });
	});
	await here(t);
	await k.press('Alt+ArrowUp');
	await here(s);
	await k.press('Alt+ArrowDown');
	await here(t);
	await k.press('Alt+ArrowDown');
	await here(r);
	/* past the list, without leaving the room */
	await p.page.locator('#skip').focus();
	await k.press('Enter');
	await wait('the field', async () => await focus(p, 'skip') === 'text');
	await here(r);
	assert.match(await p.page.evaluate(() => location.hash), new RegExp(`/${r}$`));
	/* all four parts, and around, both ways */
	const part = () => p.page.evaluate(() => ['side', 'logbox', 'composer',
	    'aside'].find(id => document.getElementById(id)
	    .contains(document.activeElement)));
	const seen = [];
	for (const key of ['F6', 'F6', 'F6', 'F6', 'Shift+F6', 'Shift+F6']) {
		await k.press(key);
		await focus(p, key);
		seen.push(await part());
	}
	assert.deepEqual(seen, ['aside', 'side', 'logbox', 'composer', 'logbox',
	    'side']);
	/* a question mark in the field is text, outside it is the list */
	await p.page.locator('#text').focus();
	await k.type('?');
	assert.equal(await p.page.locator('#text').inputValue(), '?');
	await k.press('Backspace');
	await k.press('Shift+F6');
	assert.equal(await part(), 'logbox');
	await k.press('?');
	const list = p.page.locator('dialog#shortcuts');
	await list.waitFor(LONG);
	assert.ok(await list.locator('dt').count() >= 12);
	await k.press('Escape');
	await list.waitFor({ state: 'detached', ...LONG });
	assert.equal(await focus(p, 'list closed'), 'log');
	/* any other letter is typed */
	await k.press('x');
	await wait('typed', async () => await p.page.locator('#text')
	    .inputValue() === 'x');
	p.quiet();
	await p.close();
	await bob.bye();
});
