/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * The recorded conversations of CChat against the cluster, and the order of
 * its checks with their exact texts.  The deviations are the faults of the
 * original that are not reproduced (dialects/cchat.md).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster, sleep } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';
import { load, replay } from '../lib/replay.mjs';

const file = name => new URL(`../dialect/cchat/${name}.jsonl`,
    import.meta.url);
const error = errMsg => ({ cmd: 'error', errCode: 50, errMsg });

const deviations = {
	'cchat-basic': [
		{ who: 'A', after: 15.534, frame: error('您不在该聊天室'),
		    why: 'posting to a room one has not joined is refused' },
		{ who: 'A', after: 15.837, optional: true, frame: { cmd: 'newUser',
		    name: 'alice-again', uid: '1001', rid: '1' },
		    why: 'a second socket of a uid no longer replaces the first' },
		{ who: 'A', after: 16.137, frame: { cmd: 'message', type: 'text',
		    uid: '1002', name: 'bobx', msg: 'who hears this', rid: '1' },
		    why: 'both sockets of a uid receive' },
	],
	'cchat-proxy': [
		{ who: 'B', after: 8.518, frame: { cmd: 'message', type: 'text',
		    uid: '1001', name: 'alice', msg: 'private across', rid: '1',
		    tid: '1002' },
		    why: 'private messages cross servers' },
	],
};

describe('recorded conversations', () => {
	for (const [name, list] of Object.entries(deviations))
		test(name, async () => {
			const c = await Cluster.start({ msgs: 2, strict: true });
			try {
				await replay(load(file(name)), url =>
				    (url.includes('127.0.0.2') ? c.msgs[1] : c.msgs[0])
				    .ws, { deviations: list });
			} finally {
				await c.stop();
			}
		});
});

describe('checks and their texts', () => {
	let c, url;
	before(async () => {
		c = await Cluster.start({ msgs: 1 });
		url = c.msgs[0].ws;
	});
	after(() => c?.stop());

	const refused = async (p, frame, code, text) => {
		p.send(frame);
		const e = await p.next('error');
		assert.deepEqual({ ...e }, { cmd: 'error', errCode: code,
		    errMsg: text }, JSON.stringify(frame));
	};
	const L = o => ({ cmd: 'login', name: 'alice', rid: '1', ...o });
	const M = o => ({ cmd: 'message', type: 'text', msg: 'x', rid: '1', ...o });

	test('not a command', async () => {
		const p = await Client.open(url);
		for (const f of ['', 'x', 'null', '0', 'false', '[]', '{}',
		    '{"cmd":""}', '{"cmd":null}', '[{"cmd":"login"}]'])
			await refused(p, f, 101, '无效的命令[1]');
		for (const cmd of ['nope', 'getOnline', 'getHistory', 'addHistory',
		    'proxySet', 'proxyLogin', 'proxyMsg', 'debug', 'join', 'ping'])
			await refused(p, { cmd }, 102, '无效的命令[2]');
		await p.bye();
	});
	test('login', async () => {
		const p = await Client.open(url);
		for (const name of [undefined, null, '', '0', 0, false])
			await refused(p, L({ name }), 50, '缺少姓名参数');
		for (const name of ['a', 'x'.repeat(17), '林'.repeat(6), '<b></b>'])
			await refused(p, L({ name }), 50, '姓名不合法');
		for (const rid of [undefined, null])
			await refused(p, L({ rid }), 50, '缺少聊天室参数');
		for (const rid of [0, '0', '', 'x', '1.5', 1.5, -1, '-1', '01', [],
		    {}, true])
			await refused(p, L({ rid }), 50, '聊天室参数不正确');
		/* the name is judged first */
		await refused(p, L({ name: 'a', rid: 'x' }), 50, '姓名不合法');
		for (const uid of [undefined, '', '0']) {
			p.send(L({ uid }));
			const a = await p.next('login');
			assert.match(a.uid, /^[1-9]\d{6}$/);
		}
		await p.bye();
	});
	test('login echoes the type of rid, uid is a string', async () => {
		for (const rid of [1, '1', 42]) {
			const p = await Client.open(url);
			p.send(L({ rid, uid: 1001 }));
			assert.deepEqual({ ...await p.next('login') },
			    { cmd: 'login', name: 'alice', uid: '1001', rid });
			await p.bye();
		}
	});
	test('tags are cut from names', async () => {
		const p = await Client.open(url);
		p.send(L({ name: 'bob<i>x</i>', uid: '7' }));
		assert.equal((await p.next('login')).name, 'bobx');
		await p.bye();
	});
	test('message: type, msg, tid, rid, then login', async () => {
		const p = await Client.open(url);
		for (const type of [undefined, null, '', 'html', 1, []])
			await refused(p, M({ type, msg: undefined }), 50,
			    '不支持的消息类型');
		await refused(p, M({ msg: undefined, tid: 'x' }), 50,
		    '缺少消息内容');
		await refused(p, M({ msg: 'x'.repeat(1025), tid: 'x' }), 50,
		    '消息内容过长');
		for (const tid of ['x', -1, '1.5'])
			await refused(p, M({ tid, rid: 'x' }), 50, '私信用户不正确');
		await refused(p, M({ rid: null }), 50, '缺少聊天室参数');
		await refused(p, M({ rid: 'x' }), 50, '聊天室参数不正确');
		await refused(p, M(), 50, '您已丢失登录信息');
		await p.bye();
	});
	test('no echo, no ack; the name of the first login stays', async () => {
		const a = await Client.login(url, 'alice', '11', { v: 1 });
		const b = await Client.login(url, 'bobby', '12', { v: 1 });
		await a.login('alice2', '12', { v: 1 });
		await b.next('newUser');
		a.send(M({ rid: '12', msg: 'who am i' }));
		assert.equal((await b.hear('who am i')).name, 'alice');
		await a.settle();
		/* a time in which no echo may come */
		await sleep(50);
		assert.equal(a.seen.filter(f => f.cmd === 'message').length, 0);
		await Promise.all([a.bye(), b.bye()]);
	});
	test('an old client never sees a new key or command', async () => {
		const old = await Client.login(url, 'oldie', '21', { v: 1 });
		const a = await Client.login(url, 'amy', '21');
		await a.say('21', 'hi', { at: [], re: 1 });
		await old.hear('hi');
		await a.cmd({ cmd: 'getOnline', rid: '21' });
		a.send({ cmd: 'bye' });
		await a.gone;
		await old.settle();
		for (const f of old.seen) {
			assert.ok(['login', 'newUser', 'message', 'error']
			    .includes(f.cmd), f.cmd);
			for (const k of Object.keys(f))
				assert.ok(['cmd', 'uid', 'name', 'rid', 'type', 'msg',
				    'tid', 'errCode', 'errMsg'].includes(k), k);
		}
		await old.bye();
	});
});
