/* SPDX-License-Identifier: MIT */
/*
 * A client of workerman-chat: speaks as its page does and keeps what the page
 * keeps, the list of who is there.  The rest is client.mjs's.
 */
import assert from 'node:assert/strict';
import { Client } from './client.mjs';

export const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
export const ID = /^[0-9a-f]{20}$/;

export class Workerman extends Client {
	static open(url, o)
	{
		return new Workerman(url, o).opened;
	}

	/* Logged in; its own `login` with the list is `me`. */
	static async enter(url, name, room = 1, o = {})
	{
		const c = await Workerman.open(url, o);
		await c.enter(name, room, o);
		return c;
	}

	async enter(name, room = 1, o = {})
	{
		this.send(`{"type":"login","client_name":${JSON.stringify(name)},` +
		    `"room_id":${JSON.stringify(room)}}`);
		this.me = await this.next(f => f.type === 'login' &&
		    f.client_list !== undefined, o.ms);
		this.id = this.me.client_id;
		assert.match(this.id, ID);
		assert.match(this.me.time, TIME);
		return this.me;
	}

	/* What the page's list of people shows after all that came so far. */
	get people()
	{
		let list = {};
		for (const f of this.seen) {
			if (f.client_list)
				list = { ...f.client_list };
			else if (f.type === 'login')
				list[f.client_id] = f.client_name;
			else if (f.type === 'logout')
				delete list[f.from_client_id];
		}
		return list;
	}

	say(content, to = 'all', name = '所有人')
	{
		this.send(JSON.stringify({ type: 'say', to_client_id: to,
		    to_client_name: name, content }));
	}

	/* A say with that content, whole or as a test of it. */
	hear(content, ms)
	{
		return this.next(f => f.type === 'say' && (typeof content === 'string' ?
		    f.content === content : content.test(f.content)), ms);
	}

	/* Somebody of that name comes, or goes. */
	comes(name, ms)
	{
		return this.next(f => f.type === 'login' && !f.client_list &&
		    f.client_name === name, ms);
	}

	goes(name, ms)
	{
		return this.next(f => f.type === 'logout' &&
		    f.from_client_name === name, ms);
	}
}
