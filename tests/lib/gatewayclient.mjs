/* SPDX-License-Identifier: MIT */
/*
 * A GatewayClient of our own, which behaves on the wire as the PHP library
 * does: it asks the register for the gateways (and keeps the answer for a
 * second), opens a connection per command and gateway, shows the key in the
 * same write as the command, and ends the connection right after the bytes of
 * a command that is not answered.  serialize() and unserialize() are PHP's:
 * arrays with the keys 0, 1, 2 ... are lists here, others objects.
 */
import net from 'node:net';

const SCALAR = 1, RAW = 2;
export const CMD = { SEND_TO_ONE: 5, SEND_TO_ALL: 6, KICK: 7, DESTROY: 8,
    UPDATE_SESSION: 9, ALL_SESSIONS: 10, IS_ONLINE: 11, BIND_UID: 12,
    UNBIND_UID: 13, SEND_TO_UID: 14, IDS_OF_UID: 15, IDS_OF_UIDS: 16,
    JOIN_GROUP: 20, LEAVE_GROUP: 21, SEND_TO_GROUP: 22, SESSIONS_OF_GROUP: 23,
    COUNT_OF_GROUP: 24, SELECT: 25, GROUPS: 26, UNGROUP: 27,
    COUNT_OF_GROUPS: 28, WORKER: 200, PING: 201, CLIENT: 202,
    GET_SESSION: 203, SET_SESSION: 204 };

/* --- PHP's serialize ---------------------------------------------------- */

const isInt = k => /^(0|-?[1-9]\d*)$/.test(k) &&
    BigInt.asIntN(64, BigInt(k)) === BigInt(k);

export function
serialize(v)
{
	if (v === null || v === undefined)
		return 'N;';
	if (typeof v === 'boolean')
		return `b:${v ? 1 : 0};`;
	if (typeof v === 'number')
		return Number.isInteger(v) ? `i:${v};` : `d:${v};`;
	if (typeof v === 'string')
		return `s:${Buffer.byteLength(v)}:"${v}";`;
	const rows = Object.entries(v);
	return `a:${rows.length}:{${rows.map(([k, x]) =>
	    (isInt(k) ? `i:${k};` : serialize(k)) + serialize(x)).join('')}}`;
}

export function
unserialize(bytes)
{
	const b = Buffer.from(bytes);
	let at = 0;
	const upTo = c => {
		const end = b.indexOf(c, at), s = b.toString('latin1', at, end);
		if (end < 0)
			throw new Error(`no ${c} in ${b}`);
		at = end + 1;
		return s;
	};
	const value = () => {
		const type = String.fromCharCode(b[at]);
		at += 2;
		if (type === 'N')
			return null;
		if (type === 'b')
			return upTo(';') === '1';
		if (type === 'i' || type === 'd')
			return Number(upTo(';'));
		const n = Number(upTo(':'));
		at++;
		if (type === 's') {
			const s = b.toString('utf8', at, at + n);
			at += n + 2;
			return s;
		}
		if (type !== 'a')
			throw new Error(`type ${type} in ${b}`);
		const rows = [];
		for (let i = 0; i < n; i++)
			rows.push([value(), value()]);
		at++;
		return rows.every(([k], i) => k === i) ? rows.map(r => r[1]) :
		    Object.fromEntries(rows);
	};
	const v = value();
	if (at !== b.length)
		throw new Error(`${b.length - at} bytes behind the value`);
	return v;
}

/* --- frames ----------------------------------------------------------------- */

export function
frame(cmd, { connection = 0, ext = '', body = '', flag = 0 } = {})
{
	const scalar = body !== null && typeof body !== 'object' ||
	    Buffer.isBuffer(body);
	const e = Buffer.from(String(ext));
	const d = Buffer.isBuffer(body) ? body :
	    Buffer.from(scalar ? String(body) : serialize(body));
	const h = Buffer.alloc(28);
	h.writeUInt32BE(28 + e.length + d.length, 0);
	h[4] = cmd;
	h.writeUInt32BE(connection, 17);
	h[21] = flag | (scalar ? SCALAR : 0);
	h.writeUInt32BE(e.length, 24);
	return Buffer.concat([h, e, d]);
}

/* {ip: '127.0.0.1', port, connection} of 20 hex digits, and back */
export function
ofClientId(id)
{
	if (id.length !== 20)
		throw new Error(`client_id ${id} is invalid`);
	const b = Buffer.from(id, 'hex');
	return { address: `${[...b.subarray(0, 4)].join('.')}:` +
	    `${b.readUInt16BE(4)}`, connection: b.readUInt32BE(6) };
}

export function
clientId(address, connection)
{
	const [ip, port] = address.split(':'), b = Buffer.alloc(10);
	ip.split('.').forEach((n, i) => { b[i] = Number(n); });
	b.writeUInt16BE(Number(port), 4);
	b.writeUInt32BE(Number(connection), 6);
	return b.toString('hex');
}

const connect = (address, ms) => new Promise((resolve, reject) => {
	const [host, port] = address.split(':');
	const s = net.connect({ host, port: Number(port) });
	s.setTimeout(ms, () => s.destroy(new Error(`${address}: no answer`)));
	s.on('connect', () => resolve(s));
	s.on('error', reject);
});
const pairs = v => Object.entries(v ?? {});
const isEmpty = v => [undefined, null, '', '0', 0, false].includes(v) ||
    Array.isArray(v) && v.length === 0;

export class GatewayClient {
	/* o.register: 'IP:PORT'; o.key: the secret key; o.log: told of bytes */
	constructor(o)
	{
		this.register = o.register;
		this.key = o.key ?? '';
		this.ms = o.ms ?? 15000;
		this.log = o.log ?? (() => {});
		this.known = null;
	}

	/* The gateways, as the register names them. */
	async addresses()
	{
		if (this.known && Date.now() - this.known.at < 1000)
			return this.known.list;
		const s = await connect(this.register, this.ms);
		s.write(`{"event":"worker_connect","secret_key":"${this.key}"}\n`);
		const line = await new Promise((resolve, reject) => {
			let got = '';
			s.on('data', d => {
				got += d;
				if (got.includes('\n'))
					resolve(got.split('\n')[0]);
			});
			s.on('error', reject);
			s.on('close', () => reject(new Error('the register closed')));
		});
		s.destroy();
		const { addresses } = JSON.parse(line);
		if (!addresses?.length)
			throw new Error('no gateways');
		this.known = { at: Date.now(), list: addresses };
		return addresses;
	}

	bytes(f)
	{
		return this.key === '' ? f : Buffer.concat([frame(CMD.CLIENT,
		    { body: JSON.stringify({ secret_key: this.key }) }), f]);
	}

	/* Sends and goes; resolves when the other side has seen the end. */
	async tell(address, f)
	{
		const s = await connect(address, this.ms);
		this.log({ address, send: f });
		s.resume();
		const gone = new Promise(r => s.on('close', r));
		s.on('error', () => {});
		s.end(this.bytes(f));
		await gone;
		return true;
	}

	/* Sends and reads the one answer. */
	async ask(address, f)
	{
		const s = await connect(address, this.ms);
		this.log({ address, send: f });
		s.write(this.bytes(f));
		const got = await new Promise((resolve, reject) => {
			let all = Buffer.alloc(0);
			s.on('data', d => {
				all = Buffer.concat([all, d]);
				if (all.length >= 4 &&
				    all.length >= 4 + all.readUInt32BE(0))
					resolve(all);
			});
			s.on('error', reject);
			s.on('close', () => reject(
			    new Error(`connection close tcp://${address}`)));
		});
		s.destroy();
		this.log({ address, recv: got });
		return unserialize(got.subarray(4));
	}

	tellOne(id, cmd, o)
	{
		const { address, connection } = ofClientId(id);
		return this.tell(address, frame(cmd, { ...o, connection }));
	}

	async tellAll(cmd, o, ext = () => o.ext)
	{
		for (const a of await this.addresses())
			await this.tell(a, frame(cmd, { ...o, ext: ext(a) }));
	}

	/* [[address, answer]] of all gateways */
	async askAll(cmd, o)
	{
		return Promise.all((await this.addresses()).map(async a =>
		    [a, await this.ask(a, frame(cmd, o))]));
	}

	static byAddress(ids)
	{
		const map = {};
		for (const id of ids ?? []) {
			const { address, connection } = ofClientId(id);
			(map[address] ??= {})[connection] = connection;
		}
		return map;
	}

	async sendToAll(body, ids = null, exclude = null, raw = false)
	{
		const flag = raw ? RAW : 0;
		if (ids) {
			for (const [a, connections] of
			    pairs(GatewayClient.byAddress(ids)))
				await this.tell(a, frame(CMD.SEND_TO_ALL, { body, flag,
				    ext: JSON.stringify({ connections }) }));
			return;
		}
		const not = GatewayClient.byAddress(exclude);
		await this.tellAll(CMD.SEND_TO_ALL, { body, flag }, a => not[a] ?
		    JSON.stringify({ exclude: not[a] }) : '');
	}

	async sendToGroup(group, body, exclude = null, raw = false)
	{
		if (isEmpty(group))
			return false;
		const not = GatewayClient.byAddress(
		    exclude && [exclude].flat());
		await this.tellAll(CMD.SEND_TO_GROUP, { body,
		    flag: raw ? RAW : 0 }, a => JSON.stringify({
			group: [group].flat(), exclude: not[a] ?? null }));
		return null;
	}

	sendToClient(id, body)
	{
		return this.tellOne(id, CMD.SEND_TO_ONE, { body });
	}

	sendToUid(uid, body)
	{
		return this.tellAll(CMD.SEND_TO_UID, { body,
		    ext: JSON.stringify([uid].flat()) });
	}

	closeClient(id, body = null)
	{
		return this.tellOne(id, CMD.KICK, { body });
	}

	destoryClient(id)
	{
		return this.tellOne(id, CMD.DESTROY, {});
	}

	isOnline(id)
	{
		const { address, connection } = ofClientId(id);
		return this.ask(address, frame(CMD.IS_ONLINE, { connection }));
	}

	bindUid(id, uid) { return this.tellOne(id, CMD.BIND_UID, { ext: uid }); }
	unbindUid(id, uid)
	{
		return this.tellOne(id, CMD.UNBIND_UID, { ext: uid });
	}

	joinGroup(id, g) { return this.tellOne(id, CMD.JOIN_GROUP, { ext: g }); }
	leaveGroup(id, g)
	{
		return this.tellOne(id, CMD.LEAVE_GROUP, { ext: g });
	}

	async ungroup(g)
	{
		return isEmpty(g) ? false : this.tellAll(CMD.UNGROUP, { ext: g });
	}

	setSession(id, v)
	{
		return this.tellOne(id, CMD.SET_SESSION, { ext: serialize(v) });
	}

	updateSession(id, v)
	{
		return this.tellOne(id, CMD.UPDATE_SESSION, { ext: serialize(v) });
	}

	getSession(id)
	{
		const { address, connection } = ofClientId(id);
		return this.ask(address, frame(CMD.GET_SESSION, { connection }));
	}

	async getClientIdByUid(ext)
	{
		return (await this.askAll(CMD.IDS_OF_UID, { ext })).flatMap(
		    ([a, ids]) => ids.map(n => clientId(a, n)));
	}

	async batchGetClientIdByUid(uids)
	{
		const all = {};
		for (const [a, map] of await this.askAll(CMD.IDS_OF_UIDS,
		    { ext: JSON.stringify(uids) }))
			for (const [uid, ids] of pairs(map))
				(all[uid] ??= []).push(...ids.map(n => clientId(a, n)));
		return all;
	}

	async isUidOnline(uid)
	{
		return (await this.getClientIdByUid(uid)).length ? 1 : 0;
	}

	async isUidsOnline(uids)
	{
		return Object.fromEntries(pairs(await this.batchGetClientIdByUid(uids))
		    .map(([k, v]) => [k, v.length ? 1 : 0]));
	}

	async getAllClientSessions(group = '')
	{
		const all = {};
		for (const [a, map] of await this.askAll(isEmpty(group) ?
		    CMD.ALL_SESSIONS : CMD.SESSIONS_OF_GROUP, isEmpty(group) ? {} :
		    { ext: group }))
			for (const [n, text] of pairs(map))
				all[clientId(a, n)] = text ? unserialize(text) : [];
		return all;
	}

	async getClientSessionsByGroup(g)
	{
		return isEmpty(g) ? [] : this.getAllClientSessions(g);
	}

	async getClientCountByGroup(ext = '')
	{
		return (await this.askAll(CMD.COUNT_OF_GROUP, { ext }))
		    .reduce((n, [, v]) => n + v, 0);
	}

	getAllClientCount() { return this.getClientCountByGroup(); }

	async batchGetClientIdCountByGroup(groups)
	{
		const all = {};
		for (const [, map] of await this.askAll(CMD.COUNT_OF_GROUPS,
		    { ext: JSON.stringify(groups) }))
			for (const [g, n] of pairs(map))
				all[g] = (all[g] ?? 0) + n;
		return all;
	}

	/* [[client_id, {field: value}]] */
	async select(fields, where = [])
	{
		const rows = await this.askAll(CMD.SELECT,
		    { ext: JSON.stringify({ fields, where }) });
		return rows.flatMap(([a, map]) => pairs(map).map(([n, v]) =>
		    [clientId(a, n), v]));
	}

	async getUidByClientId(id)
	{
		const { address, connection } = ofClientId(id);
		const map = await this.ask(address, frame(CMD.SELECT, {
		    ext: JSON.stringify({ fields: ['uid'], where: {
			connection_id: { [connection]: connection } } }) }));
		return pairs(map)[0]?.[1].uid ?? null;
	}

	static same(list)
	{
		return Object.fromEntries(list.map(x => [x, x]));
	}

	async getClientIdListByGroup(g)
	{
		return isEmpty(g) ? [] : GatewayClient.same((await this.select(
		    ['uid'], { groups: [g].flat() })).map(([id]) => id));
	}

	async getAllClientIdList()
	{
		return GatewayClient.same((await this.select(['uid']))
		    .map(([id]) => id));
	}

	async getUidListByGroup(g)
	{
		return isEmpty(g) ? [] : GatewayClient.same((await this.select(
		    ['uid'], { groups: [g].flat() })).map(([, v]) => v.uid)
		    .filter(Boolean));
	}

	async getUidCountByGroup(g)
	{
		return Object.keys(await this.getUidListByGroup(g)).length;
	}

	async getAllUidList()
	{
		return GatewayClient.same((await this.select(['uid']))
		    .map(([, v]) => v.uid).filter(Boolean));
	}

	async getAllUidCount()
	{
		return Object.keys(await this.getAllUidList()).length;
	}

	async getAllGroupIdList()
	{
		return GatewayClient.same((await this.askAll(CMD.GROUPS, {}))
		    .flatMap(([, list]) => list));
	}

	/* As the library: the first without a uid or a group ends a gateway's. */
	async getAllGroupUidList()
	{
		const all = {};
		for (const [, map] of await this.askAll(CMD.SELECT, { ext:
		    JSON.stringify({ fields: ['uid', 'groups'], where: [] }) }))
			for (const [, v] of pairs(map)) {
				if (isEmpty(v.uid) || isEmpty(v.groups))
					break;
				for (const g of Object.values(v.groups))
					(all[g] ??= {})[v.uid] = v.uid;
			}
		return all;
	}

	async getAllGroupClientIdList()
	{
		const all = {};
		for (const [a, map] of await this.askAll(CMD.SELECT, { ext:
		    JSON.stringify({ fields: ['groups'], where: [] }) }))
			for (const [n, v] of pairs(map)) {
				if (isEmpty(v.groups))
					break;
				for (const g of Object.values(v.groups))
					(all[g] ??= {})[clientId(a, n)] = clientId(a, n);
			}
		return all;
	}

	static count(map)
	{
		return Object.fromEntries(pairs(map).map(([k, v]) =>
		    [k, Object.keys(v).length]));
	}

	async getAllGroupUidCount()
	{
		return GatewayClient.count(await this.getAllGroupUidList());
	}

	async getAllGroupClientIdCount()
	{
		return GatewayClient.count(await this.getAllGroupClientIdList());
	}
}

/* the names of section 6 that are another function here */
for (const [name, as] of [['getClientIdCountByGroup', 'getClientCountByGroup'],
    ['getAllClientIdCount', 'getAllClientCount'],
    ['getAllClientInfo', 'getAllClientSessions'],
    ['getClientInfoByGroup', 'getClientSessionsByGroup']])
	GatewayClient.prototype[name] = function (...a) {
		return this[as](...a);
	};
