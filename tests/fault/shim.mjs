/* SPDX-License-Identifier: MIT */
/*
 * The other end of shim.c: what a process under it is told to suffer, and the
 * power loss, which takes back what was written and never fsynced.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync,
    readFileSync, readSync, readdirSync, rmSync, statSync, writeFileSync,
    writeSync } from 'node:fs';
import { join } from 'node:path';

const AT = { write_err: 8, write_n: 12, sync_err: 16, sync_n: 20, die: 24,
    die_n: 28, hits: 32 };
const SIZE = 40;
const MAGIC = 0x6d696873;
const HEAD = 32;

export const ERRNO = { EIO: 5, ENOSPC: 28 };
export const DIE = { write: 1, sync: 2, synced: 3 };

/* What one process suffers; survives its restarts. */
export class Control {
	constructor(file)
	{
		writeFileSync(file, Buffer.alloc(SIZE));
		this.file = file;
		this.fd = openSync(file, 'r+');
	}

	put(key, value)
	{
		const b = Buffer.alloc(4);
		b.writeInt32LE(value);
		writeSync(this.fd, b, 0, 4, AT[key]);
	}

	get(key)
	{
		const b = Buffer.alloc(4);
		readSync(this.fd, b, 0, 4, AT[key]);
		return b.readInt32LE();
	}

	clock(ms)
	{
		const b = Buffer.alloc(8);
		b.writeBigInt64LE(BigInt(ms));
		writeSync(this.fd, b, 0, 8, 0);
	}

	failWrites(errno, n = -1)
	{
		this.put('write_n', n);
		this.put('write_err', errno);
	}

	failSyncs(errno, n = -1)
	{
		this.put('sync_n', n);
		this.put('sync_err', errno);
	}

	/* at the nth write, before the nth fsync, or right after it */
	die(where, n)
	{
		this.put('die_n', n);
		this.put('die', DIE[where]);
	}

	heal()
	{
		this.failWrites(0, 0);
		this.failSyncs(0, 0);
		this.put('die', 0);
		this.clock(0);
	}

	close()
	{
		closeSync(this.fd);
	}
}

export class Disk {
	/* data: the directory of messages.db; undo: one of our own */
	constructor(data, undo)
	{
		this.data = data;
		this.undo = undo;
		mkdirSync(undo, { recursive: true });
		this.bootFile = join(undo, 'boot_id');
		this.reboot();
	}

	reboot()
	{
		writeFileSync(this.bootFile, `${randomUUID()}\n`);
	}

	env(control, so)
	{
		return { LD_PRELOAD: so, CCHAT_SHIM_CTL: control.file,
		    CCHAT_SHIM_UNDO: this.undo, CCHAT_SHIM_BOOT: this.bootFile };
	}

	/*
	 * Nobody runs on the file any more.  What was written after the last
	 * fsync is gone: all of it, or all but the first few writes, or all but a
	 * few of them, one perhaps torn.  Gives {writes, kept}.
	 */
	powerLoss(rng)
	{
		/* others of this directory come and go meanwhile */
		const names = new Map(readdirSync(this.data).filter(n =>
		    n.startsWith('messages.')).map(n => {
			const f = join(this.data, n);
			return [statSync(f).ino, f];
		}));
		const sum = { writes: 0, kept: 0 };
		for (const n of readdirSync(this.undo)) {
			if (!n.endsWith('.undo'))
				continue;
			const log = join(this.undo, n);
			const file = names.get(Number(n.slice(0, -5)));
			const recs = file ? Disk.records(readFileSync(log)) : [];
			if (recs.length)
				this.takeBack(file, recs, rng, sum);
			rmSync(log);
		}
		for (const n of readdirSync(this.data))
			if (n.endsWith('-shm'))
				rmSync(join(this.data, n));
		this.reboot();
		return sum;
	}

	static records(b)
	{
		const out = [];
		for (let p = 0; p + HEAD <= b.length;) {
			if (b.readUInt32LE(p) !== MAGIC)
				throw new Error('undo log: no record here');
			const kind = b.readUInt32LE(p + 4);
			const off = Number(b.readBigUInt64LE(p + 8));
			const size = Number(b.readBigUInt64LE(p + 16));
			const len = b.readUInt32LE(p + 24);
			const oldLen = b.readUInt32LE(p + 28);
			const end = p + HEAD + len + oldLen;
			if (end > b.length)
				break;	/* cut short: its write never began */
			out.push({ kind, off, size,
			    now: b.subarray(p + HEAD, p + HEAD + len),
			    old: b.subarray(p + HEAD + len, end) });
			p = end;
		}
		return out;
	}

	takeBack(file, recs, rng, sum)
	{
		const fd = openSync(file, 'r+');
		for (const r of [...recs].reverse()) {
			ftruncateSync(fd, r.size);
			if (r.old.length)
				writeSync(fd, r.old, 0, r.old.length, r.off);
		}
		const how = rng.int(0, 2);
		const keep = how === 0 ? [] : how === 1 ?
		    recs.slice(0, rng.int(0, recs.length - 1)) :
		    recs.filter(() => rng.chance(0.5));
		keep.forEach((r, i) => {
			if (r.kind === 2) {
				ftruncateSync(fd, r.off);
				return;
			}
			const torn = i === keep.length - 1 && r.now.length > 512 &&
			    rng.chance(0.5);
			const len = torn ? 512 * rng.int(1, r.now.length >> 9) :
			    r.now.length;
			writeSync(fd, r.now, 0, Math.min(len, r.now.length), r.off);
		});
		closeSync(fd);
		sum.writes += recs.length;
		sum.kept += keep.length;
	}
}

export const shimFile = build => {
	const f = join(build, 'tests', 'fault', 'shim.so');
	return existsSync(f) ? f : null;
};
