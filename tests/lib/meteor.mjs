/* SPDX-License-Identifier: MIT */
/*
 * A client of ChatMeteor, as its page is one, and its HTTP API.
 */
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { fetch, until } from './cluster.mjs';

/* Headers of every answer of the API. */
export const cors = {
	'content-type': 'application/json',
	'access-control-allow-origin': '*',
	'access-control-allow-methods': 'POST, GET, OPTIONS, DELETE',
	'access-control-allow-headers': 'content-type',
};

/* POSTs a call; resolves to the JSON of the answer. */
export async function
call(port, cls, method, args = {}, o = {})
{
	const r = await fetch(port, o.path ?? '/', { method: 'POST', ms: 15000,
	    headers: { 'content-type': 'application/json' },
	    body: JSON.stringify({ type: 'http', class: cls, method, args }) });
	assert.equal(r.status, 200, r.body);
	for (const [k, v] of Object.entries(cors))
		assert.equal(r.headers[k], v, k);
	return r.json;
}

export class Meteor {
	/* Opens and, with an id, binds; resolves when he is said to be there. */
	static async open(url, id, o = {})
	{
		const m = new Meteor(url, o);
		await m.opened;
		if (id !== undefined)
			m.bind(id);
		return m;
	}

	constructor(url, o)
	{
		this.ws = new WebSocket(url, { perMessageDeflate: false, ...o });
		this.got = [];
		this.raw = [];
		this.ws.on('message', d => {
			this.raw.push(d.toString());
			this.got.push(JSON.parse(d.toString()));
		});
		this.ws.on('close', code => { this.closed = code; });
		this.opened = new Promise((yes, no) => {
			this.ws.on('open', yes);
			this.ws.on('error', no);
		});
	}

	send(cls, method, args)
	{
		this.ws.send(JSON.stringify({ type: 'ws', class: cls, method, args }));
	}

	bind(id)
	{
		this.id = String(id);
		this.send('setting', 'bind', { user_id: id });
	}

	to(user, message)
	{
		this.send('single', 'send', { to_user: user, message });
	}

	say(group, message)
	{
		this.send('group', 'send', { group_id: group, message });
	}

	/* [from, message] of what has come, by category. */
	heard(category)
	{
		return this.got.filter(f => f.category === category)
		    .map(f => [f.args.from_user, f.args.message]);
	}

	hears(what, fn, ms = 60000)
	{
		return until(`${this.id} hears ${what}`, () => this.got.find(fn), ms);
	}

	message(message, ms)
	{
		return this.hears(JSON.stringify(message), f =>
		    JSON.stringify(f.args.message) === JSON.stringify(message), ms);
	}

	/* Everything sent before has been read by the server. */
	settled()
	{
		return new Promise(r => {
			this.ws.once('pong', r);
			this.ws.ping();
		});
	}

	close()
	{
		this.ws.terminate();
	}
}
