/* SPDX-License-Identifier: MIT */
/*
 * One end of a recorded conversation that is played again (replay.mjs,
 * replay_old.mjs), and the recordings themselves.
 */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';

export function
load(file)
{
	return readFileSync(file, 'utf8').split('\n').filter(Boolean)
	    .map(l => JSON.parse(l));
}

export class Player {
	constructor(url)
	{
		this.frames = [];
		this.ws = new WebSocket(url, { perMessageDeflate: false });
		this.ws.on('message', d => {
			this.frames.push(d.toString());
			this.wake?.();
		});
		this.upgraded = new Promise(r => this.ws.on('upgrade', r));
		this.opened = new Promise((yes, no) => {
			this.ws.on('open', yes);
			this.ws.on('error', no);
		});
		this.gone = new Promise(r => this.ws.on('close', (code, why) => {
			this.closed = { code, reason: why.toString() };
			r(this.closed);
		}));
	}

	/* The next frame, or null after ms. */
	async next(ms)
	{
		const end = Date.now() + ms;
		while (!this.frames.length) {
			if (Date.now() >= end)
				return null;
			await new Promise(r => {
				const t = setTimeout(r, end - Date.now());
				this.wake = () => { clearTimeout(t); r(); };
			});
		}
		return this.frames.shift();
	}

	/* Everything sent before has arrived once the pong is there. */
	async settled()
	{
		if (this.ws.readyState !== WebSocket.OPEN)
			return;
		await Promise.race([this.gone, new Promise(r => {
			this.ws.once('pong', r);
			this.ws.ping();
		})]);
	}
}
