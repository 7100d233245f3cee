/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * One room, two msg_servers, people of all systems: each says something and
 * hears all others in the words, with the escapes and under the names of his
 * own; each sees them come and go. ChatMeteor's clients know groups and no open
 * rooms, sok's neither: they and all others talk in private, and in a group
 * those who can be in one.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { Meteor, call } from '../lib/meteor.mjs';
import { Sok, letIn, sokCluster } from '../lib/sok.mjs';
import { Page } from '../lib/webim.mjs';
import { Workerman } from '../lib/workerman.mjs';

const LONG = 20000;
const RID = '77';
const sign = `<b>"it's" & /you</b>\\ 你😀`;
const html = s => s.replace(/&/g, '&amp;').replace(/</g, '&lt;')
    .replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&#039;');
const lines = s => s.replace(/\n/g, '<br />\n');

/*
 * One of each: name as he gave it; come(url) brings him in; say(text) to the
 * room; and what he sees of another: hears(p, text), comes(p), goes(p).
 * known: what he calls another, from the frame he came with.
 */
class One {
	constructor(name)
	{
		Object.assign(this, { name, known: new Map() });
	}

	/* the same number or uid each time */
	knows(p, id)
	{
		assert.ok(id !== undefined && id !== '', `${this.name} of ${p.name}`);
		if (!this.known.has(p.name))
			this.known.set(p.name, id);
		assert.equal(id, this.known.get(p.name),
		    `${this.name} of ${p.name}`);
	}

	/* nothing but what was looked for */
	async quiet(...kinds)
	{
		await this.c.settle();
		const left = this.c.queue.filter(f => kinds.includes(f.cmd ?? f.type));
		assert.deepEqual(left, [], this.name);
	}
}

class CChat extends One {
	constructor(name, v, uid)
	{
		super(name);
		Object.assign(this, { v, uid });
	}

	async come(url)
	{
		this.c = await Client.login(url, this.name, this.v === 1 ?
		    Number(RID) : RID, { v: this.v, uid: this.uid });
	}

	async say(text)
	{
		this.c.send({ cmd: 'message', type: 'text', rid: RID, msg: text });
		if (this.v === 2)
			await this.c.hear(text, LONG);
	}

	async hears(p, text)
	{
		const f = await this.c.hear(text, LONG);
		assert.equal(f.name, p.name);
		this.knows(p, f.uid);
	}

	async comes(p)
	{
		const f = await this.c.next(x => x.cmd === 'newUser' &&
		    x.name === p.name, LONG);
		this.knows(p, f.uid);
	}

	/* version 1 has no word for it */
	async goes(p)
	{
		if (this.v === 1)
			return;
		const f = await this.c.next(x => x.cmd === 'offline' &&
		    x.name === p.name, LONG);
		this.knows(p, f.uid);
	}

	/* in private, to whom he knows by his uid */
	tell(uid, text)
	{
		this.c.send({ cmd: 'message', type: 'text', tid: uid, msg: text,
		    ...this.v === 1 ? { rid: RID } : {} });
	}

	async told(text)
	{
		return (await this.c.hear(text, LONG)).uid;
	}

	async leave()
	{
		if (this.v === 2)
			this.c.send({ cmd: 'bye' });
		else
			await this.c.bye();
	}
}

class OfWorkerman extends One {
	async come(url)
	{
		this.c = await Workerman.enter(url, this.name, Number(RID));
		assert.equal(this.c.me.client_name, html(this.name));
	}

	async say(text)
	{
		this.c.say(text);
		/* he sees it, too */
		const f = await this.c.hear(lines(html(text)), LONG);
		assert.equal(f.from_client_id, this.c.id);
	}

	async hears(p, text)
	{
		const f = await this.c.hear(lines(html(text)), LONG);
		assert.equal(f.from_client_name, html(p.name));
		assert.equal(f.to_client_id, 'all');
		this.knows(p, f.from_client_id);
	}

	async comes(p)
	{
		const f = await this.c.comes(html(p.name), LONG);
		this.knows(p, f.client_id);
	}

	async goes(p)
	{
		const f = await this.c.goes(html(p.name), LONG);
		this.knows(p, f.from_client_id);
	}

	tell(id, text)
	{
		this.c.say(text, id, 'x');
	}

	async told(text)
	{
		const f = await this.c.hear(`<b>对你说: </b>${lines(html(text))}`,
		    LONG);
		assert.equal(f.to_client_id, this.c.id);
		return f.from_client_id;
	}

	leave()
	{
		return this.c.bye();
	}
}

class OfWebim extends One {
	async come(url)
	{
		this.c = await Page.login(url, this.name, 'a.png');
		assert.equal(this.c.me.name, this.shown(this.name));
	}

	/* what can stay of ' " \ behind the entities is escaped once more */
	shown(name)
	{
		return html(name).replace(/\\/g, '\\\\');
	}

	async say(text)
	{
		this.c.say(text);
	}

	/* its page escapes texts by itself */
	async hears(p, text)
	{
		const f = await this.c.hear(text);
		assert.equal(f.channal, 0);
		this.knows(p, f.from);
	}

	async comes(p)
	{
		const f = await this.c.next(x => x.cmd === 'newUser' &&
		    x.name === this.shown(p.name), LONG);
		this.knows(p, f.fd);
		await this.c.next(x => x.cmd === 'fromMsg' && x.from === 0 &&
		    x.data === `${this.shown(p.name)}上线了`, LONG);
	}

	async goes(p)
	{
		const f = await this.c.next(x => x.cmd === 'offline' &&
		    x.data === `${this.shown(p.name)}下线了`, LONG);
		this.knows(p, f.fd);
	}

	tell(fd, text)
	{
		this.c.say(text, fd);
	}

	async told(text)
	{
		const f = await this.c.hear(text);
		assert.equal(f.channal, 1);
		return f.from;
	}

	leave()
	{
		return this.c.bye();
	}
}

class OfSok extends One {
	constructor(uid)
	{
		super(uid);
		this.uid = uid;
	}

	async come(port)
	{
		this.c = await Sok.login(port, this.uid);
	}

	tell(uid, text)
	{
		this.c.say(uid, text);
	}

	async told(text)
	{
		const f = await this.c.next(LONG);
		assert.equal(f.content.value, text);
		assert.equal(f.to_uid, this.uid);
		return f.uid;
	}
}

class OfMeteor extends One {
	constructor(uid)
	{
		super(uid);
		this.uid = uid;
	}

	async come(port)
	{
		this.c = await Meteor.open(`ws://127.0.0.1:${port}/`, this.uid);
	}

	tell(uid, text)
	{
		this.c.to(uid, text);
	}

	async told(text)
	{
		const f = await this.c.message(text, LONG);
		assert.equal(f.category, 'single');
		return f.args.from_user;
	}
}

const v2 = new CChat('v2 <i>&\'"', 2, '1002');
const v1 = new CChat('v1 &\'"', 1, '1001');
const wm = new OfWorkerman('wm <i>&\'"');
const web = new OfWebim('web &\'"');
const sok = new OfSok('1003'), met = new OfMeteor('1004');
const room = [v2, wm, v1, web];
let c;

before(async () => {
	c = await sokCluster({ msgs: 2, conf: { msg_server: { lobby: RID,
	    dialects: ['cchat', 'webim', 'workerman'], listeners: [
		'127.0.0.1:0 sok', '127.0.0.1:0 meteor'] } } });
});
after(() => c?.stop());

test('each comes, and all who are there see it', async () => {
	for (const [i, p] of room.entries()) {
		await p.come(c.msgs[i % 2].ws);
		for (const q of room.slice(0, i))
			await q.comes(p);
	}
	assert.deepEqual(Object.values(wm.c.people).sort(),
	    room.map(p => html(p.name)).sort());
	web.c.send({ cmd: 'getOnline' });
	const all = await web.c.next('getOnline');
	assert.deepEqual(all.list.map(u => u.name).sort(),
	    room.map(p => web.shown(p.name)).sort());
	for (const u of all.list)
		for (const p of room)
			if (p !== web && u.name === web.shown(p.name))
				web.knows(p, u.fd);
});
test('each says something, and all others hear it', async () => {
	for (const p of room) {
		for (const text of [`${p.name}: ${sign}`, 'two\nlines of ' +
		    p.name]) {
			await p.say(text);
			for (const q of room)
				if (q !== p)
					await q.hears(p, text);
		}
	}
	for (const p of room)
		await p.quiet('message', 'say', 'fromMsg', 'error');
});
test('numbers and uids are those of one person', () => {
	/* fd, client_id and uid are made of one number */
	const cn = BigInt(`0x${v2.known.get(wm.name).slice(3)}`);
	assert.equal(v2.known.get(wm.name), v1.known.get(wm.name));
	assert.equal(BigInt(web.known.get(wm.name)), cn);
	assert.equal(wm.c.id.slice(12), cn.toString(16).slice(-8));
	assert.equal(v2.known.get(v1.name), '1001');
	assert.equal(v1.known.get(v2.name), '1002');
});
test('in private, each with each', async () => {
	for (const p of room)
		for (const q of room) {
			/* version 1 names people by numbers, or not at all */
			if (p === q || (p === v1 && q !== v2))
				continue;
			const text = `${p.name} to ${q.name}`;
			p.tell(p.known.get(q.name), text);
			assert.equal(await q.told(text), q.known.get(p.name));
		}
});
test('and with those who are in no open room', async () => {
	await letIn(c.msgs[0], sok.uid);
	await sok.come(c.msgs[1].ports.sok);
	await met.come(c.msgs[0].ports.meteor);
	const uids = new Map([[v2, '1002'], [v1, '1001'], [sok, sok.uid],
	    [met, met.uid], [wm, v2.known.get(wm.name)],
	    [web, v2.known.get(web.name)]]);
	for (const p of [sok, met]) {
		for (const q of [...room, p === sok ? met : sok]) {
			const text = `${sign} from ${p.name} for ${q.name}`;
			p.tell(uids.get(q), text);
			const from = await q.told(text);
			const back = `${sign} from ${q.name} for ${p.name}`;
			q.tell(from, back);
			assert.equal(await p.told(back), uids.get(q));
		}
	}
	await sok.c.close();
});
test('in a group, for those who can be in one', async () => {
	/* he is a member by the number he has, and is one wherever he goes */
	const name = 'g <i>&\'"';
	const one = await Workerman.enter(c.msgs[1].ws, name, Number(RID));
	const { uid } = await v2.c.next(f => f.cmd === 'newUser' &&
	    f.name === name, LONG);
	const r = await call(c.msgs[0].ports.meteor, 'group', 'create', {
	    group_name: 'all of them', users: [met.uid, v2.uid, uid] });
	assert.equal(r.code, 200, JSON.stringify(r));
	const id = r.data.group_id, rid = `g${id}`;
	await one.enter(name, rid);
	await wm.c.goes(html(name), LONG);
	await v2.c.cmd({ cmd: 'join', rid });
	await one.comes(html(v2.name), LONG);
	const others = await Workerman.open(c.msgs[1].ws);
	others.send(`{"type":"login","client_name":"x","room_id":"${rid}"}`);

	met.c.say(id, `${sign} met`);
	await one.hear(html(`${sign} met`), LONG);
	assert.equal((await v2.c.hear(`${sign} met`, LONG)).rid, rid);
	one.say(`${sign} one`);
	const f = await met.c.message(`${sign} one`, LONG);
	assert.deepEqual(f.args, { from_group: id, from_user: uid,
	    message: `${sign} one` });
	await v2.c.hear(`${sign} one`, LONG);
	v2.c.send({ cmd: 'message', type: 'text', rid, msg: `${sign} v2` });
	assert.equal((await met.c.message(`${sign} v2`, LONG)).args.from_user,
	    v2.uid);
	assert.equal((await one.hear(html(`${sign} v2`), LONG)).from_client_name,
	    html(v2.name));
	await others.settle();
	assert.deepEqual(others.seen, []);	/* no member: nothing at all */
	await Promise.all([one.bye(), others.bye()]);
	met.c.close();
});
test('each goes, and all who stay see it', async () => {
	for (const [i, p] of room.entries()) {
		if (p === v1)
			continue;	/* he may come back, for a while */
		await p.leave();
		for (const q of room.slice(i + 1))
			await q.goes(p);
	}
	await v1.leave();
});
