/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 46 to 48, 55 and 57: rooms, people, language, phone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { P, Person, launch, wait } from './page.mjs';

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
const room = () => `room${++n}`;
const title = p => p.page.title();

/* The person is in another room as well, and looks at that one. */
async function
elsewhere(p, rid)
{
	await p.page.keyboard.press('Control+k');
	await p.page.locator('dialog#switcher input').fill(rid);
	await p.page.keyboard.press('Enter');
	await p.page.locator(`.conv[data-conv="${rid}"] a.go` +
	    '[aria-current=page]').waitFor();
}

test('page 46: a message in another room: badge and title', async () => {
	const r = room(), s = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const a = await Client.login(ws, 'Bob', r);
	await a.say(r, 'first');
	await p.sees('first');
	await elsewhere(p, s);
	const badge = p.conv(r).locator('.badge');
	await a.say(r, 'one');
	await badge.filter({ hasText: /^1$/ }).waitFor();
	assert.equal(await badge.evaluate(e => e.classList.contains('full')),
	    false);
	await wait('a dot in the title', async () =>
	    (await title(p)).startsWith('•'));
	await a.say(r, 'two');
	await badge.filter({ hasText: /^2$/ }).waitFor();
	await a.say(r, 'look @Amy');
	await wait('the badge is filled', () => badge.evaluate(e =>
	    e.classList.contains('full')));
	await wait('(1) in the title', async () =>
	    (await title(p)).startsWith('(1)'));
	await p.go(r);
	await badge.waitFor({ state: 'hidden' });
	await wait('a plain title', async () => !/^[•(]/.test(await title(p)));
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 47: a private message of a stranger; read, two checks', async () => {
	const r = room();
	const p = await Person.join(b, url, 'Amy', { room: r });
	const q = await Person.join(b, url, 'Stranger', { room: r });
	await q.tell(p.uid);
	await q.say('hello, you do not know me');
	const badge = p.conv(`@${q.uid}`).locator('.badge');
	await badge.filter({ hasText: '1' }).waitFor();
	await q.page.locator('#log .m.mine .mark.sent').waitFor();
	assert.equal(await q.page.locator('#log .mark.read').count(), 0);
	await p.go(`@${q.uid}`);
	await p.sees('hello, you do not know me');
	await wait('a mark', () => p.tap.sent('mark').some(f =>
	    f.tid === q.uid && f.read === 1));
	await q.page.locator('#log .m.mine .mark.read').waitFor();
	await badge.waitFor({ state: 'hidden' });
	p.quiet();
	q.quiet();
	await p.close();
	await q.close();
});
test('page 48: people come and go; counts, scroll and focus stay', async () => {
	const r = room();
	const all = await Promise.all(Array.from({ length: 40 }, (_, i) =>
	    Client.login(ws, `Guest ${String(i).padStart(2, '0')}`, r)));
	const p = await Person.join(b, url, 'Amy', { room: r });
	const head = p.page.locator('#people .head').first();
	await head.filter({ hasText: '41 online' }).waitFor();
	const box = p.page.locator('#people');
	await p.page.locator('#find-people').focus();
	await box.evaluate(el => { el.scrollTop = 300; });
	await p.still('#people');
	const at = () => box.evaluate(el => el.scrollTop);
	const was = await at();
	const focus = () => p.page.evaluate(() => document.activeElement.id);
	all[39].send({ cmd: 'bye' });
	await p.page.locator('#sub').filter({ hasText: '40 online' }).waitFor();
	assert.equal(await at(), was);
	assert.equal(await focus(), 'find-people');
	const back = await Client.login(ws, 'Newcomer', r);
	await p.page.locator('#sub').filter({ hasText: '41 online' }).waitFor();
	assert.equal(await at(), was);
	assert.equal(await focus(), 'find-people');
	await p.page.locator('#find-people').fill('Guest 39');
	await p.page.locator('#people .person.away').waitFor();
	await p.page.locator('#find-people').fill('Newcomer');
	await p.page.locator('#people .person:not(.away)').waitFor();
	p.quiet();
	await p.close();
	await Promise.all([...all, back].map(x => x.bye()));
});
test('page 55: Chinese, and English without losing draft or place',
    async () => {
	const r = room(), a = await Client.login(ws, 'Bob', r);
	for (let i = 1; i <= 80; i++)
		await a.say(r, `line ${i}`);
	const p = await Person.open(b, url, { locale: 'zh-CN' });
	await p.page.locator('#login-view:not([hidden])').waitFor();
	const lang = () => p.page.evaluate(() => document.documentElement.lang);
	assert.equal(await lang(), 'zh-CN');
	assert.match(await p.page.locator('#join').innerText(), /[\u4e00-\u9fff]/);
	await p.login('林小雨', r);
	await p.sees('line 80');
	await p.page.locator('#text').fill('一半的草稿');
	await p.page.locator('#log').hover();
	const top = () => p.page.locator('#log').evaluate(el => el.scrollTop);
	const end = await top();
	await p.page.mouse.wheel(0, -600);
	await wait('scrolled', async () => await top() < end - 300);
	await p.still();
	/* the row in the middle of the view */
	const place = () => p.page.evaluate(() => {
		const b = document.querySelector('#log').getBoundingClientRect();
		const m = [...document.querySelectorAll('#log .m')].find(e =>
		    e.getBoundingClientRect().bottom > b.top + b.height / 2);
		return [m.dataset.seq, Math.round(m.getBoundingClientRect().top)];
	});
	const was = await place();
	await p.page.locator('#lang').click();
	await wait('English', async () => await lang() === 'en');
	assert.doesNotMatch((await p.page.locator('#side').innerText())
	    .replaceAll(/林?小雨/g, ''), /[\u4e00-\u9fff]/);
	assert.equal(await p.page.locator('#text').inputValue(), '一半的草稿');
	await p.frames(3);
	const now = await place();
	assert.equal(now[0], was[0]);
	assert.ok(Math.abs(now[1] - was[1]) <= 2, `${now} was ${was}`);
	/* the two files have the same keys and placeholders, all used */
	const words = await p.page.evaluate(async () => {
		const [en, zh] = await Promise.all([import('/i18n/en.js'),
		    import('/i18n/zh.js')]);
		return { en: en.default, zh: zh.default };
	});
	/* Chinese has no singular */
	const plain = o => [...new Set(Object.keys(o).map(k =>
	    k.replace(/\.(one|other)$/, '')))].sort();
	assert.deepEqual(plain(words.en), plain(words.zh));
	const holes = s => (s.match(/\{\w+\}/g) ?? []).sort().join();
	const zhOf = k => words.zh[k] ?? words.zh[k.replace(/\.(one|other)$/,
	    '.other')] ?? words.zh[k.replace(/\.(one|other)$/, '')];
	for (const k of Object.keys(words.en))
		assert.equal(holes(words.en[k]), holes(zhOf(k)), k);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 57: a phone: nothing wider than the screen, targets of 44 px',
    async () => {
	const r = room(), a = await Client.login(ws, 'Bob', r);
	await a.say(r, `a ${'very-long-word-'.repeat(40)} and ` +
	    `https://example.org/${'path/'.repeat(60)}`);
	const p = await Person.open(b, url, { viewport: P, touch: true });
	const fits = async what => {
		const w = await p.page.evaluate(() => [
		    document.documentElement.scrollWidth, innerWidth]);
		assert.ok(w[0] <= w[1], `${what}: ${w[0]} px wide`);
	};
	const targets = async what => {
		const small = await p.page.evaluate(() => {
			const out = [];
			for (const el of document.querySelectorAll('button, a, input, ' +
			    'textarea, summary')) {
				const b = el.getBoundingClientRect();
				const s = getComputedStyle(el);
				const hit = document.elementFromPoint(b.left + b.width / 2,
				    b.top + b.height / 2);
				if (!b.width || s.visibility === 'hidden' ||
				    !(hit && (el === hit || el.contains(hit))) ||
				    el.closest('.text'))
					continue;	/* links in a text are text */
				const box = el.type === 'checkbox' ? el.closest('label')
				    ?.getBoundingClientRect() ?? b : b;
				if (box.height < 43.5 || box.width < 43.5)
					out.push(`${el.id || el.className || el.tagName} ` +
					    `${Math.round(box.width)}x` +
					    `${Math.round(box.height)}`);
			}
			return out;
		});
		assert.deepEqual(small, [], what);
	};
	await p.page.locator('#login-view:not([hidden])').waitFor();
	await fits('login');
	await targets('login');
	await p.login('Amy', r);
	await p.page.locator('#log .m').first().waitFor();
	await fits('chat');
	await targets('chat');
	await p.page.locator('#toggle-people').click();
	await p.page.locator('#people .person').first().waitFor();
	await fits('people');
	await targets('people');
	await p.page.locator('#people-close').click();
	/* the list, by the button */
	const listed = () => p.page.locator('#find').isVisible();
	await p.page.locator('#back').click();
	await wait('the list', listed);
	await fits('side');
	await targets('side');
	await p.conv(r).locator('a.go').click();
	await wait('the chat', async () => !await p.page.locator('#find')
	    .evaluate(el => {
		const b = el.getBoundingClientRect();
		return el.contains(document.elementFromPoint(b.left + 5, b.top + 5));
	}));
	/* and by the browser's Back */
	await p.page.goBack();
	await wait('the list, by Back', listed);
	p.quiet();
	await p.close();
	await a.bye();
});
