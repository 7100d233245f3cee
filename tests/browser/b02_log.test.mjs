/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/* page.md (d) 8 to 12 and 16 to 18: the log. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { png } from '../lib/media.mjs';
import { Person, launch, wait } from './page.mjs';

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
const room = () => `log${++n}`;
const log = p => p.page.locator('#log');
const top = p => log(p).evaluate(el => el.scrollTop);
const gap = p => log(p).evaluate(el => el.scrollHeight - el.scrollTop -
    el.clientHeight);
/* n messages of `who` in room r. */
async function
fill(r, count, o = {})
{
	const a = o.client ?? await Client.login(ws, o.name ?? 'Filler', r);
	for (let i = 1; i <= count; i++)
		await a.say(r, o.text?.(i) ?? `message ${i}`);
	return a;
}

test('page 8: groups, and a separator between days', async () => {
	const r = room(), a = await fill(r, 6);
	const minute = 60000, noon = new Date();
	noon.setHours(12, 0, 0, 0);
	/* 1-3 a minute apart; 4 six minutes on; 5 the next day; 6 later */
	const day = noon.getTime() - 3 * 86400000;
	const ts = [0, 1, 2, 8, 1440, 1446].map(m => day + m * minute);
	const p = await Person.open(b, url);
	p.tap.down = f => {
		for (const m of f.list ?? [])
			m.ts = ts[m.seq - 1];
		return f;
	};
	await p.login('Reader', r);
	await p.sees('message 6');
	const rows = await p.page.locator('#log .list').evaluate(el =>
	    [...el.querySelectorAll('.m, .sep')].map(x => x.matches('.sep') ?
	    'day' : `${x.querySelector('.text').innerText}${x.querySelector('.av')
	    ? ' av' : ''}${x.querySelector('.name') ? ' name' : ''}`));
	assert.deepEqual(rows, ['day', 'message 1 av name', 'message 2',
	    'message 3', 'message 4 av name', 'day', 'message 5 av name',
	    'message 6 av name']);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 9: one divider before the first of seven new ones', async () => {
	const r = room(), a = await fill(r, 60);
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.sees('message 60');
	/* away in another room, long enough for seven */
	await p.page.keyboard.press('Control+k');
	await p.page.locator('dialog#switcher input').fill('elsewhere');
	await p.page.keyboard.press('Enter');
	await p.page.locator('.conv[data-conv="elsewhere"] a.go' +
	    '[aria-current=page]').waitFor();
	/* taller than the view, or the end would be seen at once */
	for (let i = 1; i <= 7; i++)
		await a.say(r, `new ${i}${'\nline'.repeat(8)}`);
	const badge = p.conv(r).locator('.badge');
	await badge.filter({ hasText: '7' }).waitFor();
	await p.conv(r).locator('a.go').click();
	const sep = p.page.locator('#log [data-new]');
	await sep.waitFor();
	assert.equal(await sep.count(), 1);
	await p.frames(3);
	const at = await sep.evaluate(el => ({
		y: el.getBoundingClientRect().top -
		    document.querySelector('#log').getBoundingClientRect().top,
		next: el.nextElementSibling?.querySelector('.text')?.innerText }));
	assert.match(at.next, /^new 1\n/);
	assert.ok(at.y >= 60 && at.y <= 140, `at ${at.y} px`);
	assert.equal(await badge.isVisible(), true, 'the end was not seen yet');
	/* rows that wake on the way make the way longer */
	await wait('the end is seen', async () => {
		await log(p).evaluate(el => { el.scrollTop = el.scrollHeight; });
		await p.frames(3);
		return !await badge.isVisible();
	});
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 10: reading further up, new ones move nothing', async () => {
	const r = room(), a = await fill(r, 80);
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.sees('message 80');
	await log(p).hover();
	await p.page.mouse.wheel(0, -500);
	await wait('scrolled', async () => await gap(p) > 300);
	await p.still();
	const was = await top(p);
	for (let i = 1; i <= 3; i++)
		await a.say(r, `news ${i}`);
	const pill = p.page.locator('#jump');
	await pill.filter({ hasText: '3 new' }).waitFor();
	assert.ok(Math.abs(await top(p) - was) <= 1);
	await pill.click();
	await wait('the end', async () => await gap(p) < 2);
	await p.sees('news 3');
	await pill.waitFor({ state: 'hidden' });
	p.quiet();
	await p.close();
	await a.bye();
});

test('page 11: at the end, a tall picture leaves the reader there',
    async () => {
	const r = room(), a = await fill(r, 40);
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.sees('message 40');
	let served = 0;
	await p.page.route('**/u/tall.png', async route => {
		await sleep(300);
		served++;
		await route.fulfill({ contentType: 'image/png', body: png(400, 600) });
	});
	await a.cmd({ cmd: 'message', type: 'pic', rid: r,
	    msg: `${url}u/tall.png` });
	const img = p.page.locator('#log .m img');
	await img.waitFor();
	await p.page.waitForFunction(() => {
		const i = document.querySelector('#log .m img');
		return i.complete && i.naturalHeight === 600;
	});
	assert.equal(served, 1);
	/* the page hears of it a moment later */
	await wait('the end', async () => await gap(p) <= 1);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 12: 400 messages to the top, in pages, without a jump', async () => {
	const r = room(), a = await fill(r, 400,
	    { text: i => `m${i} ${'word '.repeat(i * 7 % 40)}` });
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.page.locator('#log .m[data-seq="400"]').waitFor();
	await p.frames(5);
	const { steps, bad } = await p.page.evaluate(async () => {
		const box = document.querySelector('#log');
		const frame = () => new Promise(requestAnimationFrame);
		const bad = [];
		let steps = 0;
		const middle = () => {
			const b = box.getBoundingClientRect();
			for (let dy = 0; dy < 200; dy += 5) {
				const el = document.elementFromPoint(b.left + b.width / 2,
				    b.top + b.height / 2 + dy)?.closest('.m');
				if (el)
					return el;
			}
			return null;
		};
		for (let idle = 0; steps < 3000 && idle < 40;) {
			if (box.scrollTop < 1) {
				if (document.querySelector('#log .top').dataset.state ===
				    'begin')
					break;
				idle++;
				await new Promise(r => setTimeout(r, 50));
				continue;
			}
			idle = 0;
			const el = middle(), y = el?.getBoundingClientRect().top;
			const by = Math.min(120, box.scrollTop);
			box.scrollTop -= by;
			await frame();
			await frame();
			steps++;
			if (!el)
				continue;
			const seq = el.dataset.seq;
			const now = el.isConnected ? el :
			    box.querySelector(`.m[data-seq="${seq}"]`);
			const moved = now && now.getBoundingClientRect().top - y;
			if (now === null || Math.abs(moved - by) > 1)
				bad.push([steps, seq, moved, by]);
		}
		return { steps, bad };
	});
	assert.ok(steps >= 100, `only ${steps} steps`);
	assert.deepEqual(bad, []);
	const pages = p.tap.sent('getHistory').filter(f => f.rid === r);
	assert.ok(pages.length >= 3 && pages.length <= 10,
	    `${pages.length} pages`);
	assert.equal(new Set(p.tap.in.filter(f => f.cmd === 'getHistory' &&
	    f.rid === r).flatMap(f => f.list.map(m => m.seq))).size, 400);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 16: another conversation and back: the same place, the draft',
    async () => {
	const r = room(), a = await fill(r, 100);
	const p = await Person.join(b, url, 'Reader', { room: r });
	await p.sees('message 100');
	const peer = a.uid;
	await p.page.locator('#text').fill('half a thought');
	await log(p).hover();
	await p.page.mouse.wheel(0, -700);
	await wait('scrolled', async () => await gap(p) > 500);
	await p.still();
	const was = await top(p);
	await p.tell(peer);
	assert.equal(await p.page.locator('#text').inputValue(), '');
	await p.go(r);
	await p.frames(3);
	assert.ok(Math.abs(await top(p) - was) <= 1,
	    `${await top(p)} instead of ${was}`);
	assert.equal(await p.page.locator('#text').inputValue(),
	    'half a thought');
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 17: twice is once, and order is by seq', async () => {
	const r = room(), a = await Client.login(ws, 'Talker', r);
	const p = await Person.join(b, url, 'Reader', { room: r });
	const held = [];
	p.tap.down = f => {
		if (f.cmd !== 'message')
			return f;
		held.push(f);
		return null;
	};
	for (let i = 1; i <= 4; i++)
		await a.say(r, `m${i}`);
	await wait('four are held', () => held.length === 4);
	p.tap.down = f => f;
	for (const i of [0, 0, 2, 1, 3, 1, 3, 2])
		p.tap.give(held[i]);
	await p.sees('m4');
	/* a time in which nothing may change */
	await sleep(300);
	assert.deepEqual(await p.texts(), ['m1', 'm2', 'm3', 'm4']);
	p.quiet();
	await p.close();
	await a.bye();
});
test('page 18: history fails: a line to try again, no row twice', async () => {
	const r = room(), a = await fill(r, 250);
	const p = await Person.open(b, url);
	let failing = false;
	p.tap.up = (f, s) => {
		if (f.cmd !== 'getHistory' || !failing)
			return f;
		setTimeout(() => s.ws.send(JSON.stringify({ cmd: 'error', cid: f.cid,
		    errCode: 503, errMsg: 'busy' })), 5);
		return null;
	};
	await p.login('Reader', r);
	await p.sees('message 250');
	await p.frames(5);
	failing = true;
	await log(p).evaluate(el => { el.scrollTop = 0; });
	const again = p.page.locator('#log .top[data-state=error] ' +
	    '[data-act=older]');
	await again.waitFor();
	/* a time in which it may not try by itself */
	await sleep(300);
	failing = false;
	await again.click();
	await wait('all are here', async () => {
		await log(p).evaluate(el => { el.scrollTop = 0; });
		return await p.page.locator('#log .top[data-state=begin]').count();
	});
	await p.page.locator('#log .m[data-seq="1"]').waitFor();
	const seqs = await p.page.locator('#log .m').evaluateAll(els =>
	    els.map(e => Number(e.dataset.seq)));
	assert.deepEqual(seqs, [...new Set(seqs)].sort((x, y) => x - y));
	p.quiet();
	await p.close();
	await a.bye();
});
