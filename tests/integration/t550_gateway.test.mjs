/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * GatewayClients drive a cluster: what a PHP GatewayClient sent to the
 * original, what the gateways answered, what the library made of it and what
 * the browsers got meanwhile, all as recorded (ids, ports and times are those
 * of today); then every public function on one and on two servers, with the
 * secret key, clients of other dialects, and the bounds.
 *
 * Named deviations: who is put into a group that is an open room is in that
 * room, and its people see him come (the original has no people of a group).
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { CMD, GatewayClient, clientId, frame, ofClientId, serialize,
    unserialize } from '../lib/gatewayclient.mjs';

const MS = 15000;
const recorded = name => readFileSync(fileURLToPath(new URL(
    `../dialect/workerman/workerman-chat-gatewayclient-${name}.jsonl`,
    import.meta.url)), 'utf8').trim().split('\n').map(l => JSON.parse(l));
const conf = (more = {}) => ({ msg_server: { gateway: '127.0.0.1:0',
    register: '127.0.0.1:0', dialects: ['workerman', 'cchat'], ...more } });

/* A client of workerman-chat: what it got, pings apart. */
class Page {
	static async open(m, name, room)
	{
		const p = new Page();
		p.got = [];
		p.ws = new WebSocket(`ws://127.0.0.1:${m.ports.direct}/`,
		    { perMessageDeflate: false });
		p.ws.on('message', d => {
			if (String(d) !== '{"type":"ping"}')
				p.got.push(String(d));
		});
		p.gone = new Promise(r => p.ws.on('close', (code, why) => {
			p.closed = { code, why: String(why) };
			r(p.closed);
		}));
		p.ws.on('error', () => {});
		await new Promise((r, bad) => p.ws.on('open', r).on('error', bad));
		if (name !== undefined)
			await p.login(name, room);
		return p;
	}

	close()
	{
		this.ws.close();
		return this.gone;
	}

	say(f) { this.ws.send(JSON.stringify(f)); }

	async login(name, room)
	{
		const from = this.got.length;
		this.say({ type: 'login', client_name: name, room_id: room });
		const me = await until(`${name} is in`, () => this.got.slice(from)
		    .map(t => JSON.parse(t)).find(f => f.client_list), MS);
		this.id = me.client_id;
		return this;
	}

	has(text) { return until(`'${text}'`, () => this.got.includes(text), MS); }

	/* all that was on the way has come: a message behind it has */
	async flush(g)
	{
		const mark = `mark ${Math.random()}`;
		await g.sendToClient(this.id, mark);
		await this.has(mark);
		this.got.splice(this.got.indexOf(mark), 1);
	}
}

const client = async (m, servers, o = {}) => {
	const g = new GatewayClient({ register:
	    `127.0.0.1:${m.ports.register}`, ...o });
	await until('all gateways are listed', async () => {
		g.known = null;
		return (await g.addresses()).length === servers;
	}, MS);
	return g;
};

/* --- as recorded ------------------------------------------------------------ */

let c, g, pages;
before(async () => {
	c = await Cluster.start({ msgs: 2, conf: conf() });
	g = await client(c.msgs[0], 2);
});
after(() => c?.stop());

/* recorded number -> today's */
const today = { address: {}, id: {}, number: {} };
const swapIds = text => text.replace(/7f000001[0-9a-f]{12}/g,
    id => today.id[id] ?? today.address[id.slice(0, 12)] + id.slice(12));
const swapNumbers = text => text.replace(/(?<=i:)(7|8|10)(?=;)/g,
    n => today.number[n]);

test('the three browsers are in, as recorded', async () => {
	const ws = recorded('ws-side'), of = { A: c.msgs[1], B: c.msgs[0],
	    C: c.msgs[1] };
	const old = { '127.0.0.1:2300': c.msgs[0], '127.0.0.1:2301': c.msgs[1] };
	for (const [a, m] of Object.entries(old)) {
		const now = `127.0.0.1:${m.ports.gateway}`;
		today.address[a] = now;
		today.address[clientId(a, 0).slice(0, 12)] =
		    clientId(now, 0).slice(0, 12);
	}
	pages = {};
	for (const l of ws.filter(x => x.dir === 'send' &&
	    x.frame.includes('login'))) {
		const f = JSON.parse(l.frame);
		const p = pages[l.who] = await Page.open(of[l.who], f.client_name,
		    f.room_id);
		const was = ws.find(x => x.who === l.who && x.dir === 'recv');
		const id = JSON.parse(was.frame).client_id;
		today.id[id] = p.id;
		today.number[ofClientId(id).connection] =
		    ofClientId(p.id).connection;
		assert.equal(ofClientId(p.id).address,
		    `127.0.0.1:${of[l.who].ports.gateway}`);
	}
	await until('A has seen B come', () => pages.A.got.length === 2, MS);
});

/* a recorded frame as it would be today */
const again = hex => {
	const b = Buffer.from(hex, 'hex'), n = b.readUInt32BE(17);
	const ext = b.subarray(28, 28 + b.readUInt32BE(24)).toString();
	const f = frame(b[4], { connection: today.number[n] ?? n, ext: b[4] ===
	    CMD.SET_SESSION || b[4] === CMD.UPDATE_SESSION ? ext :
	    ext.replace(/"(7|8|10)":\1/g, (_, k) =>
	    `"${today.number[k]}":${today.number[k]}`),
	    body: b.subarray(28 + b.readUInt32BE(24)) });
	f[21] = b[21];
	return f.toString('hex');
};

test('every recorded call: the same bytes, answers and results', async () => {
	const calls = [];
	for (const l of recorded('tcp'))
		if (l.call)
			calls.push({ ...l, send: [], recv: [] });
		else if (l.dir && !l.peer.endsWith(':1236'))
			calls.at(-1)[l.dir]?.push(l);
		else if (!l.dir)
			calls.at(-1).end = l;
	assert.ok(calls.length > 50);
	for (const call of calls) {
		const what = `${call.call}(${JSON.stringify(call.args)})`;
		const log = { send: [], recv: [] };
		g.log = x => log[x.send ? 'send' : 'recv'].push(
		    `${x.address} ${(x.send ?? x.recv).toString('hex')}`);
		const args = JSON.parse(swapIds(JSON.stringify(call.args)));
		if (call.end.exception) {
			await assert.rejects(async () => g[call.call](...args),
			    { message: call.end.message }, what);
			continue;
		}
		const result = await g[call.call](...args) ?? null;
		assert.deepEqual(log.send.sort(), call.send.map(l =>
		    `${today.address[l.peer]} ${again(l.hex)}`).sort(), what);
		const want = call.recv.map(l => {
			const text = swapNumbers(l.text);
			const n = Buffer.alloc(4);
			n.writeUInt32BE(Buffer.byteLength(text));
			return `${today.address[l.peer]} ` +
			    n.toString('hex') + Buffer.from(text).toString('hex');
		});
		assert.deepEqual(log.recv.sort(), want.sort(), what);
		/* of what is not answered PHP says true or null */
		if (call.recv.length || call.end.result === false)
			assert.deepEqual(result, JSON.parse(swapIds(
			    JSON.stringify(call.end.result))), what);
	}
	g.log = () => {};
});

test('and what the browsers got of it', async () => {
	const undated = t => t.replace(/"time":"[0-9: -]{19}"/, '"time":"T"');
	for (const who of ['B', 'C'])
		assert.equal((await pages[who].gone).code, 1006, who);
	await until('A has seen B go', () => pages.A.got.some(t =>
	    t.includes('"logout"')), MS);
	await pages.A.flush(g);
	for (const who of ['A', 'B', 'C'])
		assert.deepEqual(pages[who].got.map(undated), recorded('ws-side')
		    .filter(l => l.who === who && l.dir === 'recv' &&
		    l.frame !== '{"type":"ping"}').map(l => undated(swapIds(l.frame))),
		    who);
	await pages.A.close();
});

/* --- every function, one server and two, with and without a key ----------------- */

const everything = async (of, one) => {
	const [m1, m2] = [of.msgs[0], of.msgs.at(-1)];
	const a = await Page.open(m1, 'ann <a>', 1), b = await Page.open(m2,
	    'bob', '2');
	const ids = list => Object.fromEntries(list.map(p => [p.id, p.id]));
	const none = a.id.slice(0, 12) + 'ffffffff';
	const ask = async (f, args, want) => assert.deepEqual(
	    await one[f](...args) ?? null, want, f);

	await ask('isOnline', [a.id], 1);
	await ask('isOnline', [none], 0);
	for (const f of ['getAllClientSessions', 'getAllClientInfo'])
		await ask(f, [], {
			[a.id]: { room_id: 1, client_name: 'ann &lt;a&gt;' },
			[b.id]: { room_id: '2', client_name: 'bob' } });
	for (const f of ['getClientSessionsByGroup', 'getClientInfoByGroup'])
		await ask(f, [2], { [b.id]: { room_id: '2',
		    client_name: 'bob' } });
	await ask('getAllClientCount', [], 2);
	await ask('getAllClientIdCount', [], 2);
	await ask('getAllClientIdList', [], ids([a, b]));
	await ask('getUidByClientId', [a.id], null);
	await one.bindUid(a.id, 'u1');
	await one.bindUid(b.id, 'u1');
	await one.bindUid(b.id, 42); /* the one before is gone */
	await one.bindUid(b.id, '0'); /* empty: nothing */
	await one.bindUid(none, 'u9');
	await ask('isUidOnline', ['u1'], 1);
	await ask('isUidOnline', ['u9'], 0);
	await ask('isUidsOnline', [['u1', '42', 'zz']], { u1: 1, 42: 1, zz: 0 });
	await ask('getClientIdByUid', [42], [b.id]);
	await ask('batchGetClientIdByUid', [['u1', 42]],
	    { u1: [a.id], 42: [b.id] });
	await ask('getUidByClientId', [b.id], '42');
	await ask('getAllUidList', [], { u1: 'u1', 42: '42' });
	await ask('getAllUidCount', [], 2);

	await one.joinGroup(a.id, 'team one');
	await one.joinGroup(b.id, 'team one');
	await one.joinGroup(b.id, 'team one');
	await one.joinGroup(b.id, '007');
	await one.joinGroup(b.id, '');
	await ask('getClientCountByGroup', ['team one'], 2);
	await ask('getClientIdCountByGroup', [2], 1);
	await ask('batchGetClientIdCountByGroup', [['team one', 1, '007']],
	    { 1: 1, '007': 1, 'team one': 2 });
	await ask('getClientIdListByGroup', ['team one'], ids([a, b]));
	await ask('getClientIdListByGroup', [['007', 1]], ids([a, b]));
	await ask('getUidListByGroup', ['007'], { 42: '42' });
	await ask('getUidCountByGroup', ['team one'], 2);
	await ask('getAllGroupIdList', [], { 1: 1, 2: 2, '007': '007',
	    'team one': 'team one' });
	await ask('getAllGroupUidList', [], { 1: { u1: 'u1' }, 2: { 42: '42' },
	    '007': { 42: '42' }, 'team one': { u1: 'u1', 42: '42' } });
	await ask('getAllGroupUidCount', [], { 1: 1, 2: 1, '007': 1,
	    'team one': 2 });
	await ask('getAllGroupClientIdList', [], { 1: ids([a]), 2: ids([b]),
	    '007': ids([b]), 'team one': ids([a, b]) });
	await ask('getAllGroupClientIdCount', [], { 1: 1, 2: 1, '007': 1,
	    'team one': 2 });

	await one.sendToAll('all "中文"');
	await one.sendToAll('only b', [b.id]);
	await one.sendToAll('nobody', []);
	await one.sendToAll('not b', null, [b.id]);
	await one.sendToAll(12.5);
	await one.sendToClient(a.id, 'to a');
	await one.sendToUid(['u1', 42], 'uids');
	await one.sendToGroup('team one', 'team');
	await one.sendToGroup(['team one', '007'], 'not a', [a.id]);
	const text = Buffer.from('raw frame');
	await one.sendToAll(Buffer.concat([Buffer.from([0x81, text.length]),
	    text]), null, null, true);
	await one.sendToGroup(2, Buffer.concat([Buffer.from([0x81, text.length]),
	    text]), null, true);
	await ask('sendToGroup', ['', 'x'], false);
	for (const p of [a, b])
		await p.flush(one);
	const own = p => p.got.filter(t => !t.startsWith('{'));
	assert.deepEqual(own(a), ['all "中文"', 'not b', '12.5', 'to a', 'uids',
	    'team', 'raw frame']);
	assert.deepEqual(own(b), ['all "中文"', 'only b', '12.5', 'uids', 'team',
	    'not a', 'not a', 'raw frame', 'raw frame']);

	await one.updateSession(a.id, { level: 3, tags: { x: 1.5 } });
	await ask('getSession', [a.id], { room_id: 1,
	    client_name: 'ann &lt;a&gt;', level: 3, tags: { x: 1.5 } });
	await one.setSession(b.id, { only: null, t: true });
	await ask('getSession', [b.id], { only: null, t: true });
	await one.updateSession(b.id, { only: { deep: [1, 2] } });
	await ask('getSession', [b.id], { only: { deep: [1, 2] }, t: true });
	await ask('getSession', [none], null);
	/* the next login writes room and name into it, and into no other */
	await b.login('bob 2', 3);
	await ask('getSession', [b.id], { only: { deep: [1, 2] }, t: true,
	    room_id: 3, client_name: 'bob 2' });
	await ask('getClientIdListByGroup', [3], ids([b]));
	await ask('getClientIdListByGroup', [2], {});

	await one.leaveGroup(b.id, '007');
	await one.leaveGroup(b.id, 'was never in it');
	await ask('getClientCountByGroup', ['007'], 0);
	await one.ungroup('team one');
	await ask('getAllGroupIdList', [], { 1: 1, 3: 3 });
	await one.unbindUid(b.id, 'whatever');
	await ask('getAllUidList', [], { u1: 'u1' });
	for (const id of ['bogus', `${a.id}0`])
		await assert.rejects(async () => one.sendToClient(id, 'x'),
		    { message: `client_id ${id} is invalid` });

	await one.closeClient(a.id);
	assert.equal((await a.gone).code, 1006);
	await ask('isOnline', [a.id], 0);
	await ask('isUidOnline', ['u1'], 0);
	await one.destoryClient(b.id);
	assert.equal((await b.gone).code, 1006);
	await ask('getAllClientIdCount', [], 0);
	await ask('getAllGroupIdList', [], {});
};

test('every function on two servers', async () => {
	await everything(c, g);
	/* any register knows all of them */
	const other = await client(c.msgs[1], 2);
	assert.deepEqual((await other.addresses()).sort(),
	    (await g.addresses()).sort());
});

test('every function on one server, with a key', async () => {
	const keyed = new Cluster({ msgs: 1 });
	const file = join(keyed.data, 'gateway.key');
	writeFileSync(file, 's3cret\n', { mode: 0o600 });
	keyed.configure(conf({ gateway_key_file: file }));
	try {
		await keyed.up();
		const one = await client(keyed.msgs[0], 1, { key: 's3cret' });
		await everything(keyed, one);
		const p = await Page.open(keyed.msgs[0], 'ann', 1);
		const { address } = ofClientId(p.id);
		for (const key of ['', 'wrong', 's3cret2', 's3cre', 'S3CRET']) {
			const bad = new GatewayClient({ register: one.register, key });
			await assert.rejects(async () => bad.addresses(), key);
			bad.known = { at: Date.now() + 1e6, list: [address] };
			await assert.rejects(async () => bad.isOnline(p.id),
			    { message: `connection close tcp://${address}` }, key);
			assert.equal(await bad.sendToClient(p.id, `by ${key}`), true);
		}
		/* nor does anybody stay who does not show it */
		assert.equal((await raw(keyed.msgs[0].ports.gateway, '')).length, 0);
		/* nor is much kept of what he sends before */
		assert.equal((await raw(keyed.msgs[0].ports.gateway, Buffer.concat([
		    frame(CMD.CLIENT, { body: JSON.stringify({ secret_key: 's3cret',
		    x: 'y'.repeat(1 << 19) }) }), frame(CMD.IS_ONLINE)]))).length, 0);
		/* a worker of PHP shows it in its own way */
		await one.tell(address, Buffer.concat([frame(CMD.WORKER, { body:
		    JSON.stringify({ worker_key: 'W:0', secret_key: 's3cret' }) }),
		    frame(CMD.PING), frame(CMD.SEND_TO_ALL, { body: 'worker' })]));
		await p.has('worker');
		assert.deepEqual(p.got.slice(1), ['worker']);
		await p.close();
	} finally {
		await keyed.stop();
	}
});

/* --- other dialects, rooms ------------------------------------------------------- */

const idOf = (x, m) => clientId(`127.0.0.1:${m.ports.gateway}`,
    Number(BigInt(`0x${x.me.sid.slice(2)}`) & 0xffffffffn));
const metric = async (m, name) => Number(new RegExp(`^cchat_msg_${name} (\\d+)`,
    'm').exec((await m.fetch('/metrics')).body)[1]);

test('clients of version 2: a notice; a group is a room', async () => {
	const [m1, m2] = c.msgs;
	const amy = await Client.login(m1.ws, 'amy', '31');
	const bob = await Client.login(m2.ws, 'bob', '32');
	const old = await Client.login(m2.ws, 'old', 32, { v: 1 });
	const id = idOf(bob, m2);
	await g.sendToAll('to all');
	assert.deepEqual({ ...await amy.next(f => f.cmd === 'notice', MS) },
	    { cmd: 'notice', msg: 'to all', level: 'info' });
	await bob.next(f => f.cmd === 'notice' && f.msg === 'to all', MS);
	/* a room's says reach who is put into its group */
	await g.joinGroup(id, '31');
	await until('bob is in the room', async () =>
	    (await g.getClientCountByGroup('31')) === 2, MS);
	await until('bob hears the room', async () => {
		await amy.say('31', 'hello');
		return bob.seen.some(f => f.msg === 'hello');
	}, MS);
	await until('amy sees him come', () => amy.seen.some(f =>
	    f.cmd === 'newUser' && f.name === 'bob'), MS);
	await g.leaveGroup(id, '31');
	assert.equal(await g.getClientCountByGroup('31'), 1);
	/* ungroup puts out who was put in, and nobody else */
	await g.joinGroup(id, '31');
	await g.ungroup('31');
	assert.deepEqual(Object.keys(await g.getClientIdListByGroup('31')),
	    [idOf(amy, m1)]);
	await g.closeClient(id, 'bye');
	await bob.next(f => f.cmd === 'notice' && f.msg === 'bye', MS);
	assert.deepEqual(await bob.gone, { code: 4005,
	    reason: 'closed by a back end' });
	/* version 1 has no word for it */
	assert.ok(!old.seen.some(f => f.cmd === 'notice'));
	old.ws.close();
	await amy.bye();
	await old.gone;
});

/* --- bounds and nonsense --------------------------------------------------------- */

const raw = (port, bytes) => new Promise(resolve => {
	let got = Buffer.alloc(0);
	const s = net.connect(port, '127.0.0.1', () => s.write(bytes));
	s.on('data', d => { got = Buffer.concat([got, d]); });
	s.on('error', () => {});
	s.on('close', () => resolve(got));
});

test('frames that are none end the connection', async () => {
	const { gateway } = c.msgs[0].ports;
	const head = (len, ext = 0) => {
		const b = frame(CMD.IS_ONLINE);
		b.writeUInt32BE(len, 0);
		b.writeUInt32BE(ext, 24);
		return b;
	};
	for (const b of [head(27), head(0), head((1 << 20) + 1), head(28, 1),
	    head(0xffffffff)])
		assert.equal((await raw(gateway, b)).length, 0);
	/* the largest that is taken, and what follows it in the same bytes */
	const most = frame(CMD.SEND_TO_ONE, { body: 'x'.repeat((1 << 20) - 28) });
	assert.equal(most.length, 1 << 20);
	const two = new GatewayClient({ register: g.register });
	assert.equal(await two.ask(`127.0.0.1:${gateway}`,
	    Buffer.concat([most, frame(CMD.IS_ONLINE)])), 0);
	/* unknown commands and bad arguments: nothing, and it stays open */
	assert.equal(await two.ask(`127.0.0.1:${gateway}`, Buffer.concat([
	    frame(99), frame(CMD.SEND_TO_UID, { ext: '{' }),
	    frame(CMD.SEND_TO_GROUP, { ext: '[]' }),
	    frame(CMD.SEND_TO_ALL, { ext: '7', body: 'x' }),
	    frame(CMD.IS_ONLINE)])), 0);
	for (const ext of ['', '{', '[]', '{"fields":7}'])
		await two.ask(`127.0.0.1:${gateway}`, frame(CMD.SELECT, { ext }));
	assert.deepEqual(await two.ask(`127.0.0.1:${gateway}`,
	    frame(CMD.IDS_OF_UIDS, { ext: '{"a":1}' })), []);
});

test('to name a group again and again is work, too', async () => {
	const [m] = c.msgs, { gateway } = m.ports, p = [];
	for (let i = 0; i < 6; i++)
		p.push(await Page.open(m, `page ${i}`, 7));
	const was = await metric(m, 'gateway_bad_total'), group = Array(2e5).fill('7');
	const send = (cmd, x) => raw(gateway, frame(cmd, { ext: JSON.stringify(x) }));
	assert.equal((await send(CMD.COUNT_OF_GROUPS, group)).length, 0);
	assert.equal((await send(CMD.SELECT, { where: { groups: group } })).length, 0);
	await g.tell(`127.0.0.1:${gateway}`, frame(CMD.SEND_TO_GROUP,
	    { ext: JSON.stringify({ group }), body: 'too often' }));
	await until('none of it is done', async () =>
	    await metric(m, 'gateway_bad_total') === was + 3, MS);
	await p[0].flush(g);
	assert.ok(!p[0].got.includes('too often'));
	await Promise.all(p.map(x => x.close()));
});

test('1024 connections, and one more', async () => {
	for (const what of ['gateway', 'register']) {
		const all = [], port = c.msgs[0].ports[what];
		const open = () => new Promise((resolve, reject) => {
			const s = net.connect(port, '127.0.0.1', () => resolve(s));
			s.on('error', reject);
			s.gone = new Promise(r => s.on('close', r));
			s.resume();
			all.push(s);
		});
		for (let n = 0; n < 1024; n += 64)
			await Promise.all(Array.from({ length: 64 }, open));
		const more = await open();
		await more.gone;
		assert.equal(all.filter(s => s.destroyed).length, 1, what);
		const asked = x => new Promise(r => {
			x.once('data', d => r(d.length > 4));
			x.once('close', () => r(false));
			x.write(what === 'gateway' ? frame(CMD.IS_ONLINE) :
			    '{"event":"worker_connect"}\n');
		});
		assert.ok(await asked(all[0]), what);
		for (const s of all)
			s.destroy();
		await until('there is room again', async () => {
			const x = await open(), ok = await asked(x);
			x.destroy();
			return ok;
		}, MS);
	}
});

test('messages that would break a client are sent to nobody', async () => {
	const p = await Page.open(c.msgs[0], 'ann', 1);
	const m = c.msgs[0], was = await metric(m, 'gateway_bad_total');
	const text = Buffer.from('text');
	const ws = (first, second, ...b) => Buffer.concat([
	    Buffer.from([first, second]), ...b]);
	const bad = [Buffer.alloc(0), ws(0x81, 5, text), ws(0x81, 3, text),
	    ws(0x81, 0x84, Buffer.alloc(4), text), ws(0xc1, 4, text),
	    ws(0x01, 4, text), ws(0x80, 4, text), ws(0x83, 4, text),
	    ws(0x8b, 4, text), ws(0x81, 126, Buffer.from([0, 4]), text),
	    ws(0x81, 1, Buffer.from([0xff])),
	    ws(0x88, 126, Buffer.from([0, 126]), Buffer.alloc(126))];
	for (const b of bad)
		await g.sendToAll(b, [p.id], null, true);
	await g.sendToClient(p.id, Buffer.from([0xc3, 0x28]));
	await g.sendToClient(p.id, 'y'.repeat(256 * 1024 + 1));
	await p.flush(g);
	assert.equal(p.got.length, 1);
	assert.equal(await metric(m, 'gateway_bad_total') - was, bad.length + 2);
	await g.sendToClient(p.id, 'z'.repeat(200 * 1024));
	await p.has('z'.repeat(200 * 1024));
	await p.close();
});

test('session arrays and names have bounds', async () => {
	const p = await Page.open(c.msgs[0], 'ann', 1);
	const most = 65536 - serialize({ a: 'x'.repeat(10000) }).length + 10000;
	await g.setSession(p.id, { a: 'x'.repeat(most) });
	assert.equal((await g.getSession(p.id)).a.length, most);
	await g.setSession(p.id, { a: 'y'.repeat(most + 1) });
	await g.updateSession(p.id, { b: 1 });
	assert.deepEqual(Object.keys(await g.getSession(p.id)), ['a']);
	await g.tellOne(p.id, CMD.SET_SESSION, { ext: 'O:8:"stdClass":0:{}' });
	await g.tellOne(p.id, CMD.SET_SESSION, { ext: 'i:1;' });
	await g.tellOne(p.id, CMD.UPDATE_SESSION, { ext: 'a:1:{' });
	assert.equal((await g.getSession(p.id)).a.length, most);
	await g.bindUid(p.id, 'u'.repeat(255));
	await g.bindUid(p.id, 'v'.repeat(256));
	assert.equal(await g.getUidByClientId(p.id), 'u'.repeat(255));
	await g.joinGroup(p.id, 'g '.repeat(128));
	for (let i = 0; i < 1000; i++)
		await g.joinGroup(p.id, `group ${i}`);
	await g.joinGroup(p.id, 'one too many');
	const [, { groups }] = (await g.select(['groups'])).find(([id]) =>
	    id === p.id);
	assert.equal(Object.keys(groups).length, 1001); /* and its room */
	assert.equal(groups['one too many'], undefined);
	await p.close();
	await until('it is forgotten', async () =>
	    (await metric(c.msgs[0], 'gateway_bytes')) === 0, MS);
});

test('who lags is skipped, and says so', async () => {
	const p = await Page.open(c.msgs[0], 'ann', 1);
	const m = c.msgs[0];
	p.ws._socket.pause();
	await until('it is skipped', async () => {
		await g.sendToClient(p.id, 'x'.repeat(200000));
		return (await metric(m, 'gateway_skipped_total')) > 0;
	}, 60000);
	assert.equal(await g.isOnline(p.id), 1);
	p.ws._socket.resume();
	await until('it hears again', async () => {
		await g.sendToClient(p.id, 'again');
		return p.got.includes('again');
	}, MS);
	await p.close();
});

test('who tells, hangs up and asks anew is answered with what he told',
    async () => {
	const p = await Page.open(c.msgs[0], 'ann', 1);
	const { address, connection } = ofClientId(p.id);
	const [host, port] = address.split(':');
	for (let n = 0; n < 100; n++) {
		const s = net.connect(Number(port), host);
		await new Promise(r => s.on('connect', r));
		await new Promise(r => s.end(frame(CMD.SET_SESSION, { connection,
		    ext: serialize({ n }) }), r));
		assert.deepEqual(await g.getSession(p.id), { n });
	}
	/* and many at once are all answered, each in its order */
	const batch = [];
	for (let n = 0; n < 500; n++)
		batch.push(frame(CMD.SET_SESSION, { connection,
		    ext: serialize({ n }) }));
	assert.deepEqual(await g.ask(address, Buffer.concat([...batch,
	    frame(CMD.GET_SESSION, { connection })])), { n: 499 });
	await p.close();
});

test('serialize there and back', () => {
	for (const v of [null, true, -5, 1.5, 'ü"', [1, [2]], { a: { 7: 'x' } }])
		assert.deepEqual(unserialize(serialize(v)), v);
});
