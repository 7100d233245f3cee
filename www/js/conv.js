/* SPDX-License-Identifier: MIT */
/*
 * One conversation as data: its messages in order, each once, and how many
 * of them are new.  Nothing here knows the SDK or the DOM.
 */
/**
 * @typedef {object} Item one message
 * @property {number} ord place in the conversation: seq, or between two
 * @property {number} [seq]
 * @property {string} [cid]
 * @property {string} uid
 * @property {string} name
 * @property {string} type
 * @property {string} msg
 * @property {number} ts
 * @property {boolean} mine
 * @property {boolean} [at] it mentions me
 * @property {string} [gone]
 * @property {''|'pending'|'failed'|'sent'} state of my own ones
 *
 * What became of it (items.js):
 * @property {import('./items.js').Change} [ch]
 * @property {import('./items.js').Hope} [hope]
 * @property {string} [first] text as first sent, if `msg` is another
 * @property {number} [edited] when, ms
 *
 * What is going up (lazy/upload.js) has `msg` = "blob:..." and:
 * @property {number} [progress] 0 to 1, while it does
 * @property {string} [why] it failed, in words
 * @property {string} [url] what is sent in place of `msg`
 * @property {string} [file] name of the file
 * @property {number} [w] of a picture, px
 * @property {number} [h]
 * @property {number} [ms] of a voice
 * @property {() => void} [again] retry
 * @property {() => void} [drop] discard
 */
/**
 * @typedef {object} Conv
 * @property {string} key rid, or "@" and the peer's uid
 * @property {boolean} dm
 * @property {string} id rid or uid
 * @property {string} title
 * @property {Item[]} items in order
 * @property {Map<string, Item>} cids
 * @property {Map<number, Item>} seqs
 * @property {Map<number, import('./items.js').Change>} later what is known
 *   of messages that are not here, by seq
 * @property {typeof import('./items.js')} [becomes] fetched with the first of
 *   what is said of a message
 * @property {boolean} named the room was given its title
 * @property {boolean} loaded the newest page is here
 * @property {boolean} loading
 * @property {boolean} failed history could not be had
 * @property {boolean} more older ones may exist
 * @property {number} read seq
 * @property {number} peer seq the other has read
 * @property {number} unread
 * @property {number} mention
 * @property {number} divider seq of the first one that was new
 * @property {number} time of the newest message
 * @property {Map<string, Person>} people
 * @property {number} count people online
 * @property {boolean} told the server says that something is new
 * @property {number} from lowest seq that history gave, 0 before
 */
/** @typedef {{uid: string, name: string, on: boolean}} Person */

/** @param {string} key @returns {Conv} */
export const makeConv = (key) => {
	const dm = key[0] === '@';
	const id = dm ? key.slice(1) : key;
	return {
		key, dm, id, title: id, items: [], cids: new Map(), seqs: new Map(),
		later: new Map(), named: false,
		loaded: false, loading: false, failed: false, more: true, read: 0,
		peer: 0, unread: 0, mention: 0, divider: 0, time: 0,
		people: new Map(), count: 0, told: false, from: 0,
	};
};

/** Of members, with marks; other rooms are open. @param {Conv} c */
export const isGroup = (c) => !c.dm && /^g[0-9a-f]+$/.test(c.id);

/** Put a message in its place. @param {Conv} c @param {Item} it */
export const insert = (c, it) => {
	let i = c.items.length;
	if (!it.ord)	/* version 1 has no seq, my own have it later */
		it.ord = (c.items[i - 1]?.ord ?? 0) + (it.state === 'pending' ? 0.5 : 1);
	while (i > 0 && c.items[i - 1].ord > it.ord)
		i--;
	c.items.splice(i, 0, it);
	if (it.seq) {
		c.seqs.set(it.seq, it);
		c.becomes?.adopt(c, it);
	}
	if (it.cid && it.mine)
		c.cids.set(it.cid, it);
	c.time = Math.max(c.time, it.ts);
};

/**
 * My own message has been stored: it gets its seq, and with it its place.
 * @param {Conv} c @param {Item} it @param {{seq?: number, ts?: number}} a
 */
export const settle = (c, it, a) => {
	it.state = 'sent';
	if (a.ts)
		it.ts = a.ts;
	if (!a.seq || a.seq === it.seq)
		return;
	c.items.splice(c.items.indexOf(it), 1);
	if (c.seqs.has(a.seq))
		return;		/* it is here already, from history */
	it.seq = it.ord = a.seq;
	insert(c, it);
};

/** Seq of the oldest message, 0 without. @param {Conv} c */
export const firstSeq = (c) => c.items.find((i) => i.seq)?.seq ?? 0;
/** Seq of the newest message, 0 without. @param {Conv} c */
export const lastSeq = (c) => c.items.findLast((i) => i.seq)?.seq ?? 0;
/** Seq of the first that is new to the reader, 0 without. @param {Conv} c */
export const firstNew = (c) => !c.unread ? 0
	: c.items.find((i) => !i.mine && i.seq && i.seq > c.read)?.seq ?? 0;

/** Count what is new again. @param {Conv} c */
export const recount = (c) => {
	c.unread = c.mention = 0;
	for (let i = c.items.length - 1; i >= 0; i--) {
		const it = c.items[i];
		if (it.seq && it.seq <= c.read)
			break;
		if (!it.mine && it.seq) {
			c.unread++;
			if (it.at || c.dm)
				c.mention++;
		}
	}
};

/** Forget all but the newest. @param {Conv} c @param {number} keep */
export const shorten = (c, keep) => {
	for (const it of c.items.splice(0, Math.max(0, c.items.length - keep))) {
		if (it.seq) {
			c.seqs.delete(it.seq);
			if (it.ch)
				c.becomes?.keep(c, it.seq, it.ch);
		}
		if (it.cid)
			c.cids.delete(it.cid);
	}
	c.more = true;
	c.from = 0;
};
