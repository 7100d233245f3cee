/* SPDX-License-Identifier: MIT */
/*
 * A chat with people in it, and the page in each of its states: for the
 * screenshots (shots.mjs) and for the rules of accessibility (b31).  A state
 * that the page or the server hasn't is left out: enter() says so.
 */
import assert from 'node:assert/strict';
import { Client } from '../lib/client.mjs';
import { until } from '../lib/cluster.mjs';
import { pngOf } from '../lib/media.mjs';

/* Of its cluster: people name their rooms. */
export const conf = { msg_server: { room_title: 'any' } };

export const DEV = 'dev';
const OPS = 'ops';
const LONG = 'history';

/* ---- a picture: hills at dusk, w x h, made here ---- */
export const png = (w, h, seed = 1) => {
	const rows = Buffer.alloc(h * (1 + 3 * w));
	const hills = [0, 1, 2].map(k => Array.from({ length: w }, (_, x) =>
	    h * (.45 + .15 * k) + h * .08 * (Math.sin(x / w * (5 + k) + seed + k) +
	    .5 * Math.sin(x / w * (13 + 4 * k) + 2 * seed))));
	const colours = [[88, 132, 140], [44, 98, 96], [16, 58, 54]];
	for (let y = 0; y < h; y++) {
		const k = y / h;
		for (let x = 0; x < w; x++) {
			const far = Math.hypot(x - w * .7, y - h * .32);
			let c = far < h * .09 ? [255, 226, 150] :
			    [250 - 60 * k, 196 - 20 * k, 150 + 60 * k];
			hills.forEach((line, i) => {
				if (y > line[x])
					c = colours[i];
			});
			rows.set(c, y * (1 + 3 * w) + 1 + 3 * x);
		}
	}
	return pngOf(w, h, 2, rows);
};

/* ---- who says what ---- */
const talk = [
	['陈默', '早上好！今天的发布窗口是 14:00 到 16:00。'],
	['林小雨', '收到，我先把压测跑完 💪'],
	['bob', 'Morning! The proxy failover is in. Read it here: ' +
	    'https://www.rfc-editor.org/rfc/rfc6455#section-5.5'],
	['bob', '**48k** connections on two cores, p99 *3.1 ms*'],
	['韩梅梅', '👍🔥'],
	['Zoë', 'Nice. What did you change?'],
	['bob', '```\nwhile ((n = read(fd, buf, sizeof buf)) > 0)\n' +
	    '\tframe_feed(&f, buf, n);\n```'],
	['林小雨', '`epoll_wait` 在边缘触发下一定要读到 `EAGAIN`。'],
	['周杰', '> 断线后会自动重连吗？\n会的，指数退避，最长 30 秒。'],
	['Zoë', 'Tried it on the train: back in 0.8 s, nothing lost.'],
	['amy', '~~麻辣烫~~ 牛肉面，12 点出发？'],
	['林小雨', '@Ada 下午的压测你来跑吗？'],
];
const more = ['bob: reading the log of ms2', '陈默: 好的', 'Zoë: done',
    '林小雨: 我来', 'amy: on it', '韩梅梅: 没问题'];

/* As a link does it: on a phone the list of conversations is a layer. */
const show = async (p, key) => {
	await p.page.evaluate(to => { location.hash = to; }, key[0] === '@' ?
	    `#/u/${key.slice(1)}` : `#/r/${key}`);
	await p.page.locator(`.conv[data-conv="${key}"] a.go[aria-current=page]`)
	    .waitFor({ state: 'attached' });
	await p.frames(2);
};

/* Where Enter is a line, the button sends. */
const write = async (p, text) => {
	await p.page.locator('#text').fill(text);
	await p.page.locator('#send').click();
};

/* Fills a cluster; me: the name of who will look at it. */
export class Scene {
	static async fill(c)
	{
		const s = new Scene();
		s.url = c.msgs[0].page;
		const ws = c.msgs[0].ws;
		s.all = {};
		for (const name of ['amy', 'bob', '林小雨', '陈默', 'Zoë', '韩梅梅',
		    '周杰', 'Linus T.', '王大锤'])
			s.all[name] = await Client.login(ws, name, DEV);
		for (const name of ['bob', '林小雨'])
			for (const rid of [OPS, LONG, '1'])
				await s.all[name].cmd({ cmd: 'join', rid });
		for (const [rid, title] of [[DEV, '开发讨论 dev'], [OPS, '运维值班 ops'],
		    [LONG, '闲聊 random']])
			await s.all.bob.cmd({ cmd: 'title', rid, title })
			    .catch(() => {});
		for (let i = 0; i < 260; i++) {
			const [who, text] = more[i % more.length].split(': ');
			await (s.all[who].me && ['bob', '林小雨'].includes(who) ?
			    s.all[who] : s.all.bob).say(LONG, `${text} (${i + 1})`);
		}
		s.last = {};
		for (const [who, text] of talk)
			s.last[who] = await s.all[who].say(DEV, text);
		await s.react('bob', '👍', ['amy', 'Zoë', '林小雨']);
		await s.react('bob', '🎉', ['陈默']);
		s.pic = await s.put(png(1280, 800), 'image/png').catch(() => null);
		if (s.pic)
			await s.all.amy.cmd({ cmd: 'message', type: 'pic', rid: DEV,
			    msg: s.pic });
		return s;
	}

	/* A reaction to the last words of somebody. */
	async react(to, emo, who)
	{
		for (const name of who)
			await this.all[name].cmd({ cmd: 'react', rid: DEV, emo,
			    ref: this.last[to].seq, on: true }).catch(() => {});
	}

	/* Puts bytes there as amy; the url of them. */
	async put(bytes, type)
	{
		const { up } = this.all.amy.me;
		if (!up)
			return null;
		const r = await fetch(new URL(up.url, this.url), { method: 'POST',
		    body: bytes, headers: { authorization: `Bearer ${up.key}`,
		    'content-type': type } });
		if (!r.ok)
			throw new Error(`upload: ${r.status} ${await r.text()}`);
		return (await r.json()).url;
	}

	/* Words in private, both ways, with who looks on. */
	async whisper(p)
	{
		const z = this.all['Zoë'], me = { tid: p.uid };
		const say = (who, msg) => who.cmd({ cmd: 'message', type: 'text',
		    msg, ...me });
		await say(z, 'Hi! 压测报告出来了吗？');
		await show(p, `@${z.uid}`);
		await write(p, '出来了 🎉 p99 **3.1 ms**');
		await p.sees('出来了 🎉 p99 3.1 ms');
		await say(z, '太好了，火焰图也发我一份 `proxy_server`');
		if (this.pic)
			await z.cmd({ cmd: 'message', type: 'pic', msg: this.pic, ...me });
		await say(z, '👍');
		await write(p, 'On its way.');
		await p.sees('On its way.');
		const last = await z.next(f => f.msg === 'On its way.');
		z.send({ cmd: 'mark', tid: p.uid, read: last.seq });
		for (const name of ['amy', '林小雨'])
			await say(this.all[name], 'ping');
	}

	async close()
	{
		for (const x of Object.values(this.all))
			await x.bye();
	}
}

/* ---- states: name -> what brings the page into it; false: not there ---- */
const seen = (p, s) => p.page.locator(s).first().waitFor();
const there = (p, s) => p.page.locator(s).first().isVisible();
const phone = p => p.page.viewportSize().width < 720;
const escape = async p => {
	await p.page.keyboard.press('Escape');
	await p.frames(2);
};

export const states = {
	async login(p)
	{
		await seen(p, '#login-view:not([hidden])');
	},
	async room(p, s)
	{
		await p.page.locator('#name').fill('Ada');
		await p.page.locator('#room').fill(DEV);
		await p.page.locator('#join').click();
		await p.in();
		await s.whisper(p);
		/* in the two others, too, one of them with something new */
		for (const rid of [OPS, LONG])
			await show(p, rid);
		await s.all.bob.say(OPS, 'deploy at 14:00');
		await show(p, DEV);
		await seen(p, '#log .m.hit');
		s.all['林小雨'].send({ cmd: 'typing', rid: DEV, on: true });
		await p.frames(10);
	},
	async private(p, s)
	{
		await show(p, `@${s.all['Zoë'].uid}`);
		await seen(p, '#log .m.mine .mark.read');
	},
	async people(p)
	{
		await show(p, DEV);
		/* at a desk they are there, but come late */
		if (phone(p))
			await p.page.locator('#toggle-people').click();
		await seen(p, '#people .person');
		await p.page.locator('#find-people').fill('林');
	},
	async list(p)
	{
		await p.page.locator('#find-people').fill('');
		if (!phone(p))
			return false;
		await p.page.locator('#people-close').click();
		await p.page.locator('#back').click();
		await seen(p, '#rooms .conv');
		return true;
	},
	async history(p)
	{
		await show(p, LONG);
		await seen(p, '#log .m');
		await until('the way down', async () => {
			await p.page.evaluate(() => { document.querySelector('#log')
			    .scrollTop -= 1500; });
			await p.frames(3);
			return there(p, '#jump:not([hidden])');
		}, 60000);
	},
	async menu(p, s)
	{
		await show(p, DEV);
		const row = p.page.locator(`#log .m[data-seq="${s.last['周杰'].seq}"]` +
		    ' .text');
		if (phone(p))
			await row.dispatchEvent('contextmenu', { bubbles: true });
		else
			await row.click({ button: 'right' });
		await seen(p, '#menu [role=menuitem]');
	},
	async viewer(p, s)
	{
		await escape(p);
		if (!s.pic)
			return false;
		await p.page.locator('#log .m .pic').last().click();
		await seen(p, 'dialog.viewer img');
		return true;
	},
	async settings(p)
	{
		await escape(p);
		if (phone(p))
			await p.page.locator('#back').click();
		await p.page.locator('#me').click();
		await seen(p, 'dialog#settings');
	},
	async upload(p)
	{
		await escape(p);
		await show(p, DEV);
		if (!await there(p, '#attach'))
			return false;
		/* it never comes to its end */
		await p.page.route('**/v1/upload*', () => {});
		const pick = p.page.waitForEvent('filechooser');
		await p.page.locator('#attach').click();
		if (phone(p))
			await p.page.locator('.take button').last().click();
		await (await pick).setFiles({ name: 'hills.png',
		    mimeType: 'image/png', buffer: png(1200, 750, 4) });
		await seen(p, '#log .m.mine progress');
		return true;
	},
	async emoji(p)
	{
		const discard = p.page.locator('#log .going [data-act=discard]');
		if (await discard.count()) {
			await discard.click();
			/* a file leaves no text behind */
			assert.equal(await p.page.locator('#text').inputValue(), '');
		}
		await p.page.unroute('**/v1/upload*');
		await show(p, DEV);
		await p.page.locator('#smile').click();
		await seen(p, '#emoji button.emo');
		await p.page.waitForFunction(() => document.querySelector('#emoji')
		    .contains(document.activeElement));
	},
	async complete(p)
	{
		await escape(p);
		await p.page.locator('#emoji').waitFor({ state: 'hidden' });
		await p.page.locator('#text').fill('');
		await p.page.locator('#text').pressSequentially('@b');
		await seen(p, '#complete [role=option]');
	},
	async command(p)
	{
		await escape(p);
		await p.page.locator('#text').fill('');
		await p.page.locator('#text').pressSequentially('/');
		await seen(p, '#complete [role=option]');
	},
	async editing(p)
	{
		await escape(p);
		await p.page.locator('#text').fill('On my way.');
		await p.page.locator('#send').click();
		await seen(p, '#log .m.mine .mark.sent');
		await p.page.locator('#text').press('ArrowUp');
		await seen(p, '#editing:not([hidden])');
	},
	async dropping(p)
	{
		await p.page.locator('#text').press('Escape');
		await p.page.locator('#editing').waitFor({ state: 'hidden' });
		if (!await there(p, '#attach'))
			return false;
		await p.page.evaluate(() => {
			const d = new DataTransfer();
			d.items.add(new File(['x'], 'x.txt'));
			document.querySelector('#main').dispatchEvent(
			    new DragEvent('dragenter', { dataTransfer: d,
			    bubbles: true, cancelable: true }));
		});
		await seen(p, '.dropping');
		return true;
	},
	async recording(p)
	{
		await p.page.evaluate(() => document.querySelector('#main')
		    .dispatchEvent(new DragEvent('dragleave', { dataTransfer:
		    (() => {
			const d = new DataTransfer();
			d.items.add(new File(['x'], 'x.txt'));
			return d;
		    })(), bubbles: true, cancelable: true })));
		await p.page.locator('.dropping').waitFor({ state: 'detached' });
		if (!await there(p, '#mic'))
			return false;
		await p.page.locator('#mic').click();
		await seen(p, '.rec');
		return true;
	},
	async switcher(p)
	{
		await escape(p);
		await p.page.locator('.rec').waitFor({ state: 'detached' });
		await p.page.locator('#text').fill('');
		await p.page.keyboard.press('Control+k');
		await seen(p, 'dialog#switcher [role=option]');
	},
	async shortcuts(p)
	{
		await escape(p);
		if (!await there(p, '#keys'))
			return false;
		await p.page.locator('#keys').click();
		await seen(p, 'dialog#shortcuts');
		return true;
	},
	async failed(p)
	{
		await escape(p);
		await show(p, DEV);
		const up = p.tap.up;
		p.tap.up = f => {
			if (f.cmd !== 'message')
				return f;
			p.tap.give({ cmd: 'error', cid: f.cid, errCode: 403,
			    errMsg: 'not now' });
			return null;
		};
		await write(p, '@bob 这条没有发出去');
		await seen(p, '#log .fail [data-act=retry]');
		p.tap.up = up;
	},
	async reconnecting(p)
	{
		p.tap.refusing = true;
		await p.tap.cut(4200);
		await seen(p, '#banner:not([hidden])');
		await until('a countdown', async () =>
		    /\d/.test(await p.page.locator('#banner').innerText()));
		await write(p, '回来以后再发 ⏳');
		await seen(p, '#log .m.mine[data-state=pending]');
	},
};

/* Back on the line, and signed out: gone from everybody's list. */
export const leave = async p => {
	p.tap.refusing = false;
	await p.page.evaluate(() => document.querySelector('#out').click());
	await seen(p, '#login-view:not([hidden])');
};
