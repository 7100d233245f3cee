/* SPDX-License-Identifier: MIT */
/*
 * What `cchatctl verify` knows of the cluster from outside: where its
 * msg_servers are, as the config_server tells any client, and that something
 * has changed; and the tokens that a site's key makes.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';

const EVERY_MS = 1000;
const ASK_MS = 2000;
const TOKEN_MORE_S = 3600;

/* GET; resolves to the answer as an object, or throws */
function
get(at, path)
{
	const cut = at.lastIndexOf(':');
	return new Promise((resolve, reject) => {
		const rq = http.get({ host: at.slice(0, cut)
		    .replace(/^\[|\]$/g, ''), port: at.slice(cut + 1), path,
		    agent: false, timeout: ASK_MS }, rs => {
			let text = '';
			rs.setEncoding('utf8');
			rs.on('data', d => { text += d; });
			rs.on('end', () => {
				try {
					if (rs.statusCode !== 200)
						throw new Error(`${path}: ${rs.statusCode}`);
					resolve(JSON.parse(text));
				} catch (e) {
					reject(e);
				}
			});
		});
		rq.on('timeout', () => rq.destroy(new Error('no answer')));
		rq.on('error', reject);
	});
}

export class Watch {
	/* given: URLs that the operator named; changed(): called for an event */
	constructor(config, given, changed)
	{
		this.config = config;
		this.given = given;
		this.changed = changed;
		this.urls = given;
		this.why = 'no msg_server is up';
		this.since = null;
	}

	async begin()
	{
		if (!this.config)
			return;
		await this.look();
		this.timer = setInterval(() => this.look(), EVERY_MS);
	}

	/* the last answer stays true while nobody answers */
	async look()
	{
		if (this.looking)
			return;
		this.looking = true;
		try {
			if (!this.given.length) {
				const a = await get(this.config, '/v1/next');
				this.urls = [a.url, ...a.alt];
			}
			await this.events();
		} catch (e) {
			if (!this.urls.length && e.code)
				this.why = `no config_server answers at ${this.config}; ` +
				    'does the cluster run? (cchatctl status)';
		}
		this.looking = false;
	}

	async events()
	{
		const first = this.since === null;
		let a;
		do {
			a = await get(this.config, '/v1/events?limit=1000&since=' +
			    (this.since ?? 0));
			for (const e of a.list)
				this.since = e.id;
			if (a.list.length && !first)
				this.changed();
		} while (a.next);
		this.since ??= 0;
	}

	end()
	{
		clearInterval(this.timer);
	}
}

/* a page of the server itself would send this */
export const originOf = url => {
	const u = new URL(url);
	return `${u.protocol === 'wss:' ? 'https' : 'http'}://${u.host}`;
};

/* 32 bytes, or null */
export function
readKey(file)
{
	try {
		const hex = readFileSync(file, 'utf8').trim();
		return /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, 'hex') : null;
	} catch {
		return null;
	}
}

/* a function giving each person his token; seconds: the length of the run */
export function
tokenOf(key, seconds = 0)
{
	const b64 = o => Buffer.from(JSON.stringify(o)).toString('base64url');
	const exp = Math.floor(Date.now() / 1000) + seconds + TOKEN_MORE_S;
	return p => {
		const body = `${b64({ alg: 'HS256', typ: 'JWT' })}.` +
		    b64({ sub: p.uid, name: p.name, exp });
		return `${body}.${createHmac('sha256', key).update(body)
		    .digest('base64url')}`;
	};
}
