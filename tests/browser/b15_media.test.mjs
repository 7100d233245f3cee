/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 40 to 45: pictures, files and voices on their way up: pasted,
 * dropped, chosen, spoken; and what is refused.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { HUM, P, Person, launch, wait } from './page.mjs';

const UP = '**/v1/upload';

let c, b, url, ws, n = 0;
before(async () => {
	c = await Cluster.start({ msgs: 1 });
	url = c.msgs[0].page;
	ws = c.msgs[0].ws;
	b = await launch([...HUM,
	    '--autoplay-policy=no-user-gesture-required',
	    '--host-resolver-rules=MAP chat.lan 127.0.0.1']);
});
after(async () => {
	await b?.close();
	await c?.stop();
});
const room = () => `media${++n}`;
const join = async (o = {}) => {
	const p = await Person.join(b, o.url ?? url, o.name ?? 'Sender',
	    { room: room(), ...o });
	return p;
};
const own = p => p.page.locator('#log .m.mine');
const note = p => p.page.locator('#note:not([hidden])');
const media = p => p.tap.sent('message').filter(f => f.type !== 'text');
const said = (p, n) => wait(`${n} went out`, () => media(p).length >= n);
const bye = async (p, ...excused) => {
	p.quiet(...excused);
	await p.close();
};

/* What the page does with files is done in the page: a picture of w x h. */
const give = (p, how, o) => p.page.evaluate(async ([how, o]) => {
	const make = async x => {
		if (x.text !== undefined)
			return new File([x.text], x.name, { type: x.type });
		const k = new OffscreenCanvas(x.w, x.h);
		const g = k.getContext('2d');
		const f = g.createLinearGradient(0, 0, x.w, x.h);
		f.addColorStop(0, '#0b7a5c');
		f.addColorStop(1, '#ffd75e');
		g.fillStyle = f;
		g.fillRect(0, 0, x.w, x.h);
		for (let i = 0; i < (x.busy ?? 0); i++) {
			g.fillStyle = `hsl(${i * 37 % 360} 80% ${20 + i * 7 % 60}%)`;
			g.fillRect(i * 53 % x.w, i * 31 % x.h, 9, 7);
		}
		let blob = await k.convertToBlob({ type: x.type, quality: x.q });
		if (x.exif && x.type === 'image/webp') {	/* a chunk at the end */
			const u = new Uint8Array(await blob.arrayBuffer());
			const e = new TextEncoder().encode(`EXIF????${x.exif}`);
			new DataView(e.buffer).setUint32(4, e.length - 8, true);
			new DataView(u.buffer).setUint32(4, u.length + e.length - 8, true);
			blob = new Blob([u, e]);
		} else if (x.exif) {	/* after the first mark of a JPEG */
			const u = new Uint8Array(await blob.arrayBuffer());
			const e = new TextEncoder().encode(`Exif\0\0${x.exif}`);
			const head = new Uint8Array([0xff, 0xe1, (e.length + 2) >> 8,
			    (e.length + 2) & 255]);
			blob = new Blob([u.slice(0, 2), head, e, u.slice(2)]);
		}
		return new File([blob], x.name, { type: x.type });
	};
	const d = new DataTransfer();
	for (const x of o.files ?? [])
		d.items.add(await make(x));
	if (o.plain)
		d.setData('text/plain', o.plain);
	const on = document.querySelector(how === 'paste' ? '#text' : '#main');
	if (how === 'paste')
		return on.dispatchEvent(new ClipboardEvent('paste',
		    { clipboardData: d, bubbles: true, cancelable: true }));
	return on.dispatchEvent(new DragEvent(how, { dataTransfer: d,
	    bubbles: true, cancelable: true, relatedTarget: o.to ?
	    document.querySelector(o.to) : null }));
}, [how, o]);
const png = { name: 'shot.png', type: 'image/png', w: 3000, h: 2000 };

test('page 40: a picture is pasted: at once there, small on the wire, the ' +
    'other sees its shape', async () => {
	const r = room(), p = await join({ room: r });
	const q = await join({ room: r, name: 'Other' });
	let body = null, type = '', let_ = null;
	const may = new Promise(go => { let_ = go; });
	await p.page.route(UP, async route => {
		body = route.request().postDataBuffer();
		type = route.request().headers()['content-type'];
		await may;
		await route.continue();
	});
	await give(p, 'paste', { files: [png] });
	/* the row, with what this browser has of it, and how far it is */
	await own(p).locator('img').waitFor();
	assert.match(await own(p).locator('img').getAttribute('src'), /^blob:/);
	await own(p).locator('progress').waitFor();
	assert.equal(media(p).length, 0, 'nothing is said before it is up');
	await wait('it goes up', () => body);
	assert.ok(body.length > 0 && body.length <= 400 << 10, `${body.length}`);
	assert.equal(type, 'image/webp');
	assert.equal(body.toString('latin1', 8, 12), 'WEBP');
	let_();
	await own(p).locator('.mark.sent').waitFor();
	await own(p).locator('progress').waitFor({ state: 'detached' });
	const [f] = media(p);
	assert.equal(f.type, 'pic');
	assert.match(f.msg, /^\/u\/[\w-]+\.webp\?w=1600&h=106[67]$/);
	const img = q.page.locator('#log .m img');
	await img.waitFor();
	/* the room it takes is known before it is there */
	const a = await img.evaluate(i => [i.width, i.height]);
	assert.ok(Math.abs(a[0] / a[1] - 1.5) < 0.02, `${a}`);
	await q.page.waitForFunction(() => {
		const i = document.querySelector('#log .m img');
		return i.complete && i.naturalWidth === 1600;
	});
	assert.deepEqual(await img.evaluate(i => [i.width, i.height]), a);
	await bye(q);
	await bye(p);
});
test('page 40: where it was taken is not told', async () => {
	const p = await join();
	const bodies = [];
	await p.page.route(UP, route => {
		bodies.push(route.request().postDataBuffer());
		return route.continue();
	});
	await give(p, 'paste', { files: [{ name: 'photo.jpg', type: 'image/jpeg',
	    w: 40, h: 30, exif: 'GPSLatitude 52.0' }] });
	await said(p, 1);
	/* made so small that as it was it would be the smaller one */
	const coarse = { name: 'coarse.webp', type: 'image/webp', w: 400, h: 300,
	    busy: 2000, q: 0 };
	await give(p, 'paste', { files: [coarse] });
	await said(p, 2);
	await give(p, 'paste', { files: [{ ...coarse, exif: 'GPSLatitude 52.0' }] });
	await said(p, 3);
	assert.equal(media(p)[2].type, 'pic');
	for (const x of bodies)
		assert.ok(!/Exif|EXIF|GPS/.test(x.toString('latin1')));
	assert.ok(bodies[2].length > bodies[1].length + 24, 'it was no smaller');
	await bye(p);
});
test('page 40: a moving picture and what is no picture go as they are',
    async () => {
	const p = await join();
	const bodies = [];
	await p.page.route(UP, route => {
		bodies.push(route.request().postDataBuffer().toString('latin1'));
		return route.continue();
	});
	const gif = 'GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0' +
	    '\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;';
	await p.page.evaluate(s => {
		const d = new DataTransfer();
		d.items.add(new File([Uint8Array.from(s, x => x.charCodeAt(0))],
		    'a.gif', { type: 'image/gif' }));
		document.querySelector('#text').dispatchEvent(new ClipboardEvent(
		    'paste', { clipboardData: d, bubbles: true, cancelable: true }));
	}, gif);
	await said(p, 1);
	assert.equal(bodies[0], gif);
	await give(p, 'paste', { files: [{ name: 'notes.txt', type: 'text/plain',
	    text: 'some notes' }] });
	await said(p, 2);
	assert.equal(bodies[1], 'some notes');
	assert.equal(media(p)[1].type, 'file');
	await bye(p);
});
test('page 41: drag and drop: only files, named after the conversation',
    async () => {
	const p = await join();
	const over = p.page.locator('.dropping');
	const title = await p.page.locator('#title').innerText();
	assert.equal(await give(p, 'dragenter', { plain: 'words' }), true,
	    'text is none of ours');
	const file = { files: [{ name: 'a.txt', type: 'text/plain', text: 'x' }] };
	await give(p, 'dragenter', file);
	await over.waitFor();
	assert.equal(await over.innerText(), `Drop to send to ${title}`);
	assert.equal(await over.count(), 1);
	await give(p, 'dragleave', { ...file, to: '#log' });
	await p.frames(3);
	assert.equal(await over.count(), 1, 'still over it');
	await give(p, 'dragleave', file);
	await over.waitFor({ state: 'detached' });
	await give(p, 'dragenter', { plain: 'words' });
	await p.frames(3);
	assert.equal(await over.count(), 0);
	await give(p, 'dragenter', file);
	await over.waitFor();
	assert.equal(await give(p, 'drop', file), false, 'the page stays');
	await over.waitFor({ state: 'detached' });
	await said(p, 1);
	assert.equal(media(p)[0].type, 'file');
	await own(p).locator('.mark.sent').waitFor();
	await bye(p);
});
test('page 42: it fails, and is sent again with the same bytes and cid; ' +
    'discard ends it', async () => {
	const r = room(), p = await join({ room: r });
	const a = await Client.login(ws, 'Other', r);
	const bodies = [];
	let fault = 'abort';
	await p.page.route(UP, async route => {
		bodies.push(route.request().postDataBuffer()?.toString('latin1'));
		if (fault === 'abort')
			return route.abort('connectionreset');
		if (fault)
			return route.fulfill({ status: fault, contentType:
			    'application/json', body: JSON.stringify({ error:
			    { code: fault, msg: 'so it is' } }) });
		return route.continue();
	});
	const file = { files: [{ name: 'a.txt', type: 'text/plain',
	    text: 'the same bytes' }] };
	await give(p, 'paste', file);
	const fail = own(p).locator('.fail');
	await fail.waitFor();
	assert.match(await fail.innerText(), /connection broke/);
	const cid = await own(p).getAttribute('data-cid');
	for (const [f, words] of [[500, /refused the file/], [507, /no room/],
	    [415, /kind of file/], [413, /too big/]]) {
		fault = f;
		await fail.locator('[data-act=retry]').click();
		await wait(`failed with ${f}`, async () =>
		    words.test(await fail.innerText()));
	}
	assert.equal(media(p).length, 0);
	fault = 0;
	await fail.locator('[data-act=retry]').click();
	await own(p).locator('.mark.sent').waitFor();
	assert.equal(await own(p).count(), 1);
	assert.equal(bodies.length, 6);
	assert.ok(bodies.every(x => x === 'the same bytes'));
	assert.deepEqual(media(p).map(f => f.cid), [cid]);
	assert.equal((await a.history(r)).list.length, 1);
	/* up, but the message was refused: the bytes do not go again */
	let refuse = true;
	p.tap.up = (f, s) => {
		if (f.cmd !== 'message' || !refuse)
			return f;
		s.ws.send(JSON.stringify({ cmd: 'error', errCode: 403,
		    errMsg: 'muted', cid: f.cid }));
		return null;
	};
	await give(p, 'paste', { files: [{ name: 'b.txt', type: 'text/plain',
	    text: 'other bytes' }] });
	await fail.waitFor();
	refuse = false;
	await fail.locator('[data-act=retry]').click();
	await wait('both are sent', async () =>
	    await own(p).locator('.mark.sent').count() === 2);
	assert.equal(bodies.length, 7);
	/* one that hangs is ended, and nothing of it is left */
	let hangs = false;
	await p.page.unroute(UP);
	await p.page.route(UP, () => { hangs = true; });
	const end = p.page.waitForEvent('requestfailed');
	await give(p, 'paste', file);
	await wait('it hangs', () => hangs);
	await own(p).locator('.going [data-act=discard]').click();
	assert.match((await end).failure().errorText, /ABORTED/);
	await wait('it is gone', async () => await own(p).count() === 2);
	assert.equal(media(p).filter(f => f.cid !== cid).length, 2);
	await a.bye();
	await bye(p, /Failed to load resource/);
});
test('out of the room while a file goes up: it is not said there', async () => {
	const r = room(), other = room(), p = await join({ room: r });
	await p.page.evaluate(x => { location.hash = `#/r/${x}`; }, other);
	await p.conv(other).locator('a.go[aria-current=page]').waitFor();
	let on, go;
	const begun = new Promise(done => { on = done; });
	const may = new Promise(done => { go = done; });
	await p.page.route(UP, async route => {
		on();
		await may;
		await route.continue().catch(() => {});
	});
	await give(p, 'paste', { files: [{ name: 'a.txt', type: 'text/plain',
	    text: 'on its way' }] });
	await begun;
	await p.say('/leave');
	await p.conv(other).waitFor({ state: 'detached' });
	go();
	/* what comes after it goes up, and is the only one */
	await give(p, 'paste', { files: [{ name: 'b.txt', type: 'text/plain',
	    text: 'here' }] });
	await own(p).locator('.mark.sent').waitFor();
	assert.deepEqual(media(p).map(f => f.rid), [r]);
	await bye(p);
});
test('a minute later the row shows what the server has; what hangs so long ' +
    'has failed', async () => {
	const p = await Person.open(b, url);
	await p.page.clock.install();
	await p.page.reload();
	await p.login('Sender', room());
	await give(p, 'paste', { files: [{ ...png, w: 300, h: 200 }] });
	await own(p).locator('.mark.sent').waitFor();
	const img = own(p).locator('img');
	assert.match(await img.getAttribute('src'), /^blob:/);
	await p.page.clock.fastForward(61000);
	await wait('the server\'s', async () => /\/u\/.*w=300&h=200$/.test(
	    await img.getAttribute('src')));
	await wait('it is seen', () => img.evaluate(i => i.naturalWidth === 300));
	/* it went on its way, and nothing came of it */
	let hangs = false;
	await p.page.route(UP, () => { hangs = true; });
	await give(p, 'paste', { files: [{ name: 'a.txt', type: 'text/plain',
	    text: 'x' }] });
	await wait('it hangs', () => hangs);
	await p.page.clock.fastForward(61000);
	const fail = own(p).locator('.fail');
	await fail.waitFor();
	assert.match(await fail.innerText(), /connection broke/);
	await p.page.locator('#alert').getByText(/connection broke/)
	    .waitFor({ state: 'attached' });
	await p.page.unroute(UP);
	await fail.locator('[data-act=retry]').click();
	await wait('both are sent', async () =>
	    await own(p).locator('.mark.sent').count() === 2);
	await bye(p);
});
test('page 43: a voice: press, speak, press; Esc; too short; the microphone ' +
    'is let go', async () => {
	const r = room(), p = await Person.open(b, url);
	/* who listens, and for how long */
	await p.page.evaluate(() => {
		const now = performance.now.bind(performance);
		window.skew = 0;
		performance.now = () => window.still ?? now() + window.skew;
		window.tracks = [];
		const get = navigator.mediaDevices.getUserMedia;
		navigator.mediaDevices.getUserMedia = async function (o) {
			const s = await get.call(this, o);
			window.tracks.push(...s.getTracks());
			return s;
		};
	});
	await p.login('Speaker', r);
	const q = await join({ room: r, name: 'Hearer' });
	const mic = p.page.locator('#mic');
	const rec = p.page.locator('.rec');
	const silent = () => wait('the microphone is off', () =>
	    p.page.evaluate(() => window.tracks.every(t =>
	    t.readyState === 'ended')));
	/* a microphone where nothing is written, else the button that sends */
	await mic.waitFor();
	assert.ok(await p.page.locator('#send').isHidden());
	await p.page.locator('#text').fill('x');
	await mic.waitFor({ state: 'hidden' });
	assert.ok(await p.page.locator('#send').isVisible());
	await p.page.locator('#text').fill('');
	await mic.click();
	await rec.waitFor();
	assert.equal(await rec.locator('time').getAttribute('aria-live'), 'off');
	await p.page.locator('#said').getByText('Recording', { exact: true })
	    .waitFor({ state: 'attached' });
	/* what is spoken takes its time */
	await wait('two seconds', async () =>
	    /[2-9]$/.test(await rec.locator('time').innerText()));
	await rec.locator('[data-act=stop]').click();
	await rec.waitFor({ state: 'detached' });
	await p.page.locator('#said').getByText('Recording stopped.')
	    .waitFor({ state: 'attached' });
	await own(p).locator('.mark.sent').waitFor();
	await silent();
	const [f] = media(p);
	assert.equal(f.type, 'audio');
	assert.match(f.msg, /^\/u\/[\w-]+\.\w+\?ms=\d+$/);
	const ms = Number(/ms=(\d+)/.exec(f.msg)[1]);
	assert.ok(ms >= 1000, `${ms} ms`);
	/* and it can be heard */
	const audio = q.page.locator('#log .m audio');
	await audio.waitFor({ state: 'attached' });
	await audio.evaluate(el => el.play());
	await wait('it plays', () => audio.evaluate(el => el.currentTime > 0));
	/* Esc */
	await mic.click();
	await rec.waitFor();
	await p.page.keyboard.press('Escape');
	await rec.waitFor({ state: 'detached' });
	await p.page.locator('#said').getByText('Recording cancelled.').first()
	    .waitFor({ state: 'attached' });
	await silent();
	/* too short: pressed twice within the same moment */
	await p.page.evaluate(() => new Promise(done => {
		window.still = performance.now();
		const look = new MutationObserver(() => {
			const stop = document.querySelector('.rec [data-act=stop]');
			if (!stop)
				return;
			look.disconnect();
			stop.click();
			done();
		});
		look.observe(document.querySelector('#composer'),
		    { childList: true, subtree: true });
		document.querySelector('#mic').click();
	}));
	await rec.waitFor({ state: 'detached' });
	await p.page.evaluate(() => { delete window.still; });
	await silent();
	assert.equal(media(p).length, 1);
	assert.equal(await own(p).count(), 1);
	/* a minute, and no more */
	await mic.click();
	await rec.waitFor();
	await wait('it records', async () =>
	    await rec.locator('time').innerText() !== '0:00');
	await p.page.evaluate(() => { window.skew = 60000; });
	await rec.waitFor({ state: 'detached' });
	await said(p, 2);
	assert.match(media(p)[1].msg, /ms=[6-9]\d{4}$/);
	await silent();
	assert.equal(await p.page.evaluate(() => window.tracks.length), 4);
	/* into another conversation: it is not sent there, nor from there */
	const other = room();
	await p.page.evaluate(x => { location.hash = `#/r/${x}`; }, other);
	await p.conv(other).locator('a.go[aria-current=page]').waitFor();
	await mic.click();
	await rec.waitFor();
	await p.conv(r).locator('a.go').click();
	await rec.waitFor({ state: 'detached' });
	await silent();
	assert.equal(media(p).length, 2);
	q.quiet();
	await q.close();
	await bye(p);
});
test('page 44: by plain http there is no microphone: a file is asked for',
    async () => {
	const lan = url.replace('127.0.0.1', 'chat.lan');
	const p = await join({ url: lan });
	assert.equal(await p.page.evaluate(() => isSecureContext), false);
	const chooser = p.page.waitForEvent('filechooser');
	await p.page.locator('#mic').click();
	const fc = await chooser;
	assert.equal(await fc.element().getAttribute('accept'), 'audio/*');
	assert.equal(fc.isMultiple(), false);
	await p.say('it chats');
	await own(p).locator('.mark.sent').waitFor();
	/* Chromium tells that it heeds this header by https only */
	await bye(p, /Cross-Origin-Opener-Policy/);
});
test('page 45: too big is said before anything goes up', async () => {
	const p = await join();
	let asked = 0;
	await p.page.route(UP, route => { asked++; return route.continue(); });
	await p.page.evaluate(() => {
		const part = new Uint8Array(8 << 20);
		const d = new DataTransfer();
		d.items.add(new File(Array(10).fill(part), 'film.bin',
		    { type: 'application/octet-stream' }));
		document.querySelector('#text').dispatchEvent(new ClipboardEvent(
		    'paste', { clipboardData: d, bubbles: true, cancelable: true }));
	});
	await note(p).waitFor();
	assert.equal(await note(p).innerText(),
	    '“film.bin” is too big: 80 MB. The limit is 20 MB.');
	assert.equal(await own(p).count(), 0);
	/* nor a drawing that could do things, nor nothing */
	await give(p, 'paste', { files: [{ name: 'x.svg', type: 'image/svg+xml',
	    text: '<svg/>' }, { name: 'nil', type: '', text: '' }] });
	await wait('both are told of', async () => /x\.svg.*“nil” is empty/.test(
	    await note(p).innerText()));
	assert.equal(asked, 0);
	assert.equal(await own(p).count(), 0);
	await bye(p);
});
test('the clip asks for files; on a phone also for the camera', async () => {
	const p = await join();
	let chooser = p.page.waitForEvent('filechooser');
	await p.page.locator('#attach').click();
	const fc = await chooser;
	assert.ok(fc.isMultiple());
	await fc.setFiles([{ name: 'one.txt', mimeType: 'text/plain',
	    buffer: Buffer.from('one') }, { name: 'two.txt',
	    mimeType: 'text/plain', buffer: Buffer.from('two') }]);
	await said(p, 2);
	/* in the order they were chosen in */
	assert.deepEqual(media(p).map(f => /name=(\w+)/.exec(f.msg)?.[1]),
	    ['one', 'two']);
	await bye(p);
	const m = await join({ viewport: P, touch: true });
	await m.page.locator('#attach').tap();
	await m.page.locator('.take').waitFor();
	chooser = m.page.waitForEvent('filechooser');
	await m.page.locator('.take button').first().tap();
	const photo = (await chooser).element();
	assert.equal(await photo.getAttribute('accept'), 'image/*');
	assert.equal(await photo.getAttribute('capture'), 'environment');
	await m.page.locator('.take').waitFor({ state: 'detached' });
	await bye(m);
});
test('where the server takes no files, none are offered', async () => {
	const p = await Person.open(b, url);
	p.tap.down = f => f.cmd === 'login' ? { ...f, up: undefined } : f;
	await p.login('Sender', room());
	assert.ok(await p.page.locator('#attach').isHidden());
	assert.ok(await p.page.locator('#mic').isHidden());
	assert.ok(await p.page.locator('#send').isVisible());
	/* and a file that is dropped does not take the place of the page */
	assert.equal(await give(p, 'drop', { files: [{ name: 'a.txt',
	    type: 'text/plain', text: 'x' }] }), false);
	assert.equal(await own(p).count(), 0);
	await bye(p);
});
