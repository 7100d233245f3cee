/* SPDX-License-Identifier: MIT */
/* needs: node modules build */
/*
 * keep_days 0: nothing is written, acks say so, who comes back soon is served
 * from memory, and what memory lost is said to be lost.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, until } from '../lib/cluster.mjs';
import { Client } from '../lib/client.mjs';

const RID = '1';
let c, ep;
before(async () => {
	c = await Cluster.start({ msgs: 2, proxies: 2,
	    conf: { proxy_server: { keep_days: 0 } } });
});
after(() => c.stop());

const metric = async name => Number(new RegExp(`^cchat_${name} (\\d+)$`, 'm')
    .exec((await (await c.active()).fetch('/metrics')).body)[1]);

test('chat goes on as ever, and acks say that nothing is kept', async () => {
	const a = await Client.login(c.msgs[0].ws, 'amy', RID, { uid: 'amy' });
	const b = await Client.login(c.msgs[1].ws, 'bob', RID);
	for (let i = 1; i <= 5; i++) {
		const ok = await a.say(RID, `secret${i}`);
		assert.equal(ok.seq, i);
		assert.equal(ok.kept, false);
		assert.equal((await b.hear(`secret${i}`)).seq, i);
	}
	/* a repeat is known */
	const { seq } = await a.say(RID, 'secret6', { cid: 'again' });
	const dup = await a.say(RID, 'secret6', { cid: 'again' });
	assert.deepEqual([dup.seq, dup.dup, dup.kept], [seq, true, false]);
	ep = b.me.pos[RID].ep;
	await a.bye();
	await b.bye();
});

test('who comes back gets what he missed, from memory', async () => {
	const b = await Client.login(c.msgs[1].ws, 'bob', RID,
	    { pos: { [RID]: [ep, 2] } });
	assert.equal(b.me.pos[RID].full, true);
	for (let i = 3; i <= 6; i++)
		await b.hear(`secret${i}`);
	const h = await b.history(RID);
	assert.deepEqual(h.list.map(m => m.msg), [1, 2, 3, 4, 5, 6].map(i =>
	    `secret${i}`));
	await b.bye();
});

test('what memory holds is edited and recalled; what is recalled is gone',
    async () => {
	const rid = '2';
	const a = await Client.login(c.msgs[0].ws, 'amy', rid, { uid: 'amy' });
	const b = await Client.login(c.msgs[1].ws, 'bob', rid, { uid: 'bob' });
	const code = p => p.then(() => 0, e => e.errCode);
	const { seq: ref } = await a.say(rid, 'secret one');
	const ok = await a.cmd({ cmd: 'edit', rid, ref, msg: 'secret uno' });
	assert.equal(ok.kept, false);
	assert.equal((await b.next('edit')).msg, 'secret uno');
	assert.equal(await code(b.cmd({ cmd: 'recall', rid, ref })), 403);
	assert.equal(await code(b.cmd({ cmd: 'react', rid, ref: 99, emo: 'x' })),
	    404);
	await b.cmd({ cmd: 'react', rid, ref, emo: '+1' });
	await a.cmd({ cmd: 'recall', rid, ref });
	await b.next('recall');
	assert.equal(await code(a.cmd({ cmd: 'edit', rid, ref, msg: 'x' })), 409);
	const x = await Client.login(c.msgs[0].ws, 'cleo', rid,
	    { pos: { [rid]: [a.me.pos[rid].ep, 0] } });
	await x.next('synced');
	const { list } = await x.history(rid);
	assert.deepEqual(list.map(f => [f.cmd, f.gone]), [['message', 'recall'],
	    ['edit', 'recall'], ['react', undefined], ['recall', undefined]]);
	assert.ok(!JSON.stringify(x.seen).includes('secret'));
	await Promise.all([a, b, x].map(y => y.bye()));
});

test('a private message waits for the absent', async () => {
	const a = await Client.login(c.msgs[0].ws, 'amy', RID);
	const e = await Client.login(c.msgs[0].ws, 'eve', RID, { uid: 'eve' });
	const { token } = e;
	await e.bye();
	const ok = await a.cmd({ cmd: 'message', type: 'text', tid: 'eve',
	    msg: 'secret to eve' });
	assert.equal(ok.kept, false);
	const e2 = await Client.login(c.msgs[1].ws, 'eve', RID,
	    { uid: 'eve', token, pos: { '@': [ep, 0] } });
	await e2.hear('secret to eve');
	await a.bye();
	await e2.bye();
});

test('on the disk is no word of it', async () => {
	await until('the checkpoint', async () =>
	    await metric('proxy_commits_total') > 0);
	for (const f of readdirSync(c.data).filter(n => /^messages\.db/.test(n)))
		assert.ok(!readFileSync(join(c.data, f)).includes('secret'), f);
	assert.ok(await metric('proxy_recent_bytes') > 0);
	/* what a commit and an ack take, in seconds, and items in a commit */
	const n = await metric('proxy_items_total');
	assert.equal(await metric('proxy_commit_batch_sum') >= n, true);
	for (const name of ['commit', 'ack']) {
		const { body } = await (await c.active()).fetch('/metrics');
		const f = k => Number(new RegExp(
		    `^cchat_proxy_${name}_seconds_${k} ([\\d.]+)$`, 'm')
		    .exec(body)[1]);
		assert.ok(f('count') > 0 && f('sum') > 0, name);
		assert.ok(f('sum') / f('count') < 5, `${name}: seconds`);
	}
});

test('after a takeover: the numbers go on, what is lost is said', async () => {
	const was = await c.active();
	const said = await Client.login(c.msgs[0].ws, 'amy', '3', { uid: 'amy' });
	await said.say('3', 'secret');
	await was.kill();
	await c.active();
	/* nobody knows any more whose it was */
	await assert.rejects(said.cmd({ cmd: 'recall', rid: '3', ref: 1 }),
	    e => e.errCode === 404);
	await said.bye();
	const a = await Client.login(c.msgs[0].ws, 'amy', RID, { uid: 'amy' });
	const ok = await a.say(RID, 'after');
	assert.ok(ok.seq >= 7, `seq ${ok.seq}`);
	/* of what was said before nobody knows: no repeat is known either */
	const again = await a.say(RID, 'secret6', { cid: 'again' });
	assert.ok(!again.dup && again.seq > ok.seq, 'a new message');
	const b = await Client.login(c.msgs[1].ws, 'cleo', RID,
	    { pos: { [RID]: [ep, 2] } });
	const p = b.me.pos[RID];
	assert.equal(p.ep, ep);
	assert.equal(p.full, false);
	const h = await b.history(RID);
	assert.deepEqual(h.list.filter(m => m.msg).map(m => m.msg), ['after', 'secret6']);
	await a.bye();
	await b.bye();
});
