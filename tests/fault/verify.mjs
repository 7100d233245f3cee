/* SPDX-License-Identifier: MIT */
/*
 * cchatctl verify: people of our own in rooms of our own talk through a live
 * cluster, whatever its operator does to it meanwhile, and the judge of the
 * fault runs reads what each of them sent, was promised and received.
 *
 * It is the program that cchatctl starts; it needs node and nothing else.
 * Exit codes: 0 every promise was kept, 1 one was not, 2 usage, 3 nothing runs.
 */
import { randomInt } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { Crowd } from './crowd.mjs';
import { judge } from './judge.mjs';
import { Watch, originOf, readKey, tokenOf } from './watch.mjs';
import { Progress, report } from './report.mjs';
import { Socket } from './socket.mjs';

const now = () => performance.now();
const sleep = ms => new Promise(r => setTimeout(r, ms));

/* name: [least, most, default] */
const NUMBERS = { clients: [2, 1000, 40], rate: [1, 5000, 150],
	seconds: [1, 3600, 30], rooms: [1, 200, 8], seed: [0, 2 ** 31, null],
	grace: [0, 600, 15] };
const MESSAGES_MAX = 500000;	/* all are held to be judged */
const ENTER_MS = 15;	/* between two newcomers */
const LOGIN_MS = 4000;
const V1_MS = 2200;	/* a server lets one of version 1 speak every 2 s */
const BACK_MS = 30000;	/* to be there again, when all is to be quiet */
const PAUSE_MS = 25;
const STALL_MS = 700;	/* no ack for so long: something happened */

class Refuse extends Error {
	constructor(code, why)
	{
		super(why);
		this.code = code;
	}
}

function
options(argv)
{
	const string = { type: 'string' };
	let a;
	try {
		({ values: a } = parseArgs({ args: argv, options: {
			...Object.fromEntries(Object.keys(NUMBERS)
			    .map(k => [k, string])),
			url: { type: 'string', multiple: true, default: [] },
			config: string, 'token-key': string, 'own-key': string,
			records: string, json: { type: 'boolean' } } }));
	} catch (e) {
		throw new Refuse(2, e.message.split('. ')[0]);
	}
	const o = { urls: (a.url ?? []).flatMap(u => u.split(',')), config: a.config,
	    key: a['token-key'], ownKey: a['own-key'], records: a.records,
	    json: a.json };
	for (const [k, [lo, hi, def]] of Object.entries(NUMBERS)) {
		o[k] = a[k] === undefined ? def : Number(a[k]);
		if (a[k] !== undefined && (!/^\d+$/.test(a[k]) || o[k] < lo ||
		    o[k] > hi))
			throw new Refuse(2, `--${k}: a number from ${lo} to ${hi}`);
	}
	o.seed ??= randomInt(1, 1000000);
	if (o.rate * o.seconds > MESSAGES_MAX)
		throw new Refuse(2, `--rate times --seconds is at most ` +
		    `${MESSAGES_MAX} messages`);
	for (const u of o.urls)
		if (!/^wss?:\/\/[^\s/?#]+(\/\S*)?$/.test(u))
			throw new Refuse(2, `--url ${u}: ws://HOST:PORT/ws or wss://...`);
	return o;
}

class Verify {
	constructor(o)
	{
		this.o = o;
		/* nobody else's: as numbers, which version 1 can say too */
		this.base = randomInt(1e12, 9e13);
		const room = randomInt(1e9, 9e13);
		this.anteroom = `${room - 1}`;	/* who only asks is not among them */
		this.rooms = Array.from({ length: o.rooms }, (_, i) =>
		    `${room + i}`);
		this.records = [];
		this.received = this.moves = this.reconnects = 0;
		this.resumes = new Map();	/* session -> in full */
		this.seen = new Set();	/* clients that were in before */
		this.stuck = [];
		this.over = this.asked = false;
		if (o.records)
			this.file = createWriteStream(o.records);
	}

	rec(r)
	{
		this.records.push(r);
		this.file?.write(`${JSON.stringify(r)}\n`);
		if (r.k === 'recv')
			this.received++;
		else if (r.k === 'moved')
			this.moves++;
		else if (r.k === 'in' && r.had)
			this.resumes.set(r.s, r.full &&
			    (this.resumes.get(r.s) ?? true));
		else if (r.k === 'open' && !this.seen.has(r.c))
			this.seen.add(r.c);
		else if (r.k === 'open')
			this.reconnects++;
		else if (r.k === 'shut' && !this.over && r.code !== 0)
			this.fault();
	}

	/*
	 * Something has been done to the cluster; when, nobody told us.  The judge
	 * is to know, as after a takeover a piece of news may be told again.
	 */
	fault()
	{
		const t = now();
		if (t - (this.faultAt ?? -Infinity) < 300)
			return;
		this.faultAt = t;
		for (const at of [t - 2500, t])
			this.rec({ k: 'fault', kinds: ['seen'], t: at });
	}

	/* --- the way in --------------------------------------------------------- */

	/* One login, to learn what the cluster wants; null when nobody answers. */
	ask(url, token)
	{
		return new Promise(resolve => {
			const ws = new Socket(url, { ms: LOGIN_MS,
			    origin: originOf(url) });
			let why = 'no answer';
			const timer = setTimeout(() => ws.terminate(), LOGIN_MS);
			const end = a => {
				clearTimeout(timer);
				ws.close();
				resolve(a);
			};
			ws.on('open', () => ws.send(JSON.stringify({ cmd: 'login',
			    v: 2, uid: `${this.base}`, name: `N-${this.base}`,
			    rid: this.anteroom, cid: 'l', token: token?.({
			    uid: `${this.base}`, name: `N-${this.base}` }) })));
			ws.on('message', text => {
				const f = [JSON.parse(text)].flat()[0];
				if (f.cmd === 'login' || f.cmd === 'error')
					end(f);
			});
			ws.on('error', e => { why = e.message || e.code; });
			ws.on('close', () => end({ cmd: 'none', why }));
		});
	}

	async wayIn()
	{
		const { o } = this;
		const keyFile = o.key ?? o.ownKey;
		if (o.key && !readKey(o.key))
			throw new Refuse(2, `no key in ${o.key}: 64 hex digits; say ` +
			    'another --token-key FILE');
		let last = 'nobody there', wants;
		for (const url of this.watch.urls) {
			const a = await this.ask(url, o.key && tokenOf(readKey(o.key)));
			if (a.cmd === 'login') {
				if (o.key)
					this.token = tokenOf(readKey(o.key), o.seconds);
				return;
			}
			last = a.why ?? `${a.errCode} ${a.errMsg}`;
			if (a.errCode !== 401)
				continue;
			wants = keyFile ?? '';
			if (o.key)
				continue;
			const key = readKey(keyFile);
			const b = key && await this.ask(url, tokenOf(key));
			if (b?.cmd === 'login') {
				this.token = tokenOf(key, o.seconds);
				return;
			}
		}
		if (wants !== undefined)
			throw new Refuse(2, 'this cluster wants tokens, and ' +
			    (readKey(wants) ? `the key in ${wants} is not its own` :
			    `there is no ${wants || 'key'}`) +
			    '; say --token-key FILE');
		throw new Refuse(3, `no msg_server lets us in (${last}); does the ` +
		    'cluster run? (cchatctl status)');
	}

	/* --- the run ------------------------------------------------------------ */

	async enter()
	{
		const { people } = this.crowd;
		for (const p of people) {
			p.connect();
			await sleep(ENTER_MS);
		}
		for (const end = now() + 15000; !this.asked && now() < end &&
		    this.crowd.ready < people.length; await sleep(20))
			;
		if (this.crowd.ready < 2)
			throw new Refuse(3, `only ${this.crowd.ready} of ` +
			    `${people.length} clients got in`);
	}

	async talk()
	{
		const { o } = this;
		this.crowd.talk();
		const begun = now();
		for (let t = begun; t < begun + o.seconds * 1000 && !this.asked;
		    t = now()) {
			this.progress.show((t - begun) / 1000, this);
			if (t - this.crowd.ackAt > STALL_MS)
				this.fault();
			await sleep(Math.min(200, begun + o.seconds * 1000 - t));
		}
		this.talked = (now() - begun) / 1000;
		this.crowd.hush();
	}

	async end()
	{
		this.progress.say('quiet: all come back and get what is due to them');
		for (const p of this.crowd.people)
			p.comeBack();
		this.stuck = await this.crowd.settled(BACK_MS);
		if (!this.stuck.length)
			this.stuck = await this.crowd.lastRound(BACK_MS);
		else
			await this.crowd.level(2000);
		this.progress.say('reading the history');
		await this.crowd.readLogs((what, why) => this.stuck.push(why));
		this.crowd.note({ k: 'end' });
		this.over = true;
		this.crowd.stop(1000);
	}

	async go()
	{
		const { o } = this;
		this.watch = new Watch(o.config, o.urls, () => this.fault());
		await this.watch.begin();
		if (!this.watch.urls.length)
			throw new Refuse(3, this.watch.why);
		await this.wayIn();
		this.rec({ k: 'meta', sync: 'full', live: true, seed: o.seed,
		    grace: o.grace * 1000 });
		this.crowd = new Crowd({ seed: o.seed, clients: o.clients,
		    rate: o.rate, rooms: this.rooms, pauseMs: PAUSE_MS,
		    uid: c => `${this.base + c}` }, {
			rec: r => this.rec(r), urls: () => this.watch.urls,
			origin: originOf, v1Ms: V1_MS,
			token: this.token && (p => this.token(p)) });
		this.progress = new Progress(o, this.watch, this.crowd);
		/* once: judge what there is; twice: leave */
		const stop = () => {
			if (this.asked)
				process.exit(130);
			this.asked = true;
		};
		process.on('SIGINT', stop);
		process.on('SIGTERM', stop);
		try {
			await this.enter();
			await this.talk();
			await this.end();
		} finally {
			this.over = true;
			this.progress.clear();
			this.crowd.stop(1000);
			this.watch.end();
		}
		const v = judge(this.records);
		return report(this, v);
	}
}

const o = (() => {
	try {
		return options(process.argv.slice(2));
	} catch (e) {
		process.stderr.write(`cchatctl: verify: ${e.message}\n`);
		process.exit(e.code ?? 2);
	}
})();
new Verify(o).go().then(clean => {
	process.exitCode = clean ? 0 : 1;
	/* sockets that are still saying goodbye */
	setTimeout(() => process.exit(), 1500).unref();
}, e => {
	process.stderr.write(`cchatctl: verify: ${e instanceof Refuse ?
	    e.message : e.stack}\n`);
	process.exit(e.code ?? 1);
});
