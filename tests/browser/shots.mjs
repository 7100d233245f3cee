/* SPDX-License-Identifier: MIT */
/*
 * Screenshots of each state of the page: desktop and phone, light and dark,
 * English and Chinese.
 *
 *	node tests/browser/shots.mjs DIRECTORY [part of a name...]
 *
 * or `make screenshots`.  Starts a cluster of its own (CCHAT_BUILD says from
 * where) and ends it.  The names are state-size-theme-language.png.  With
 * --doc instead of a directory the pictures of the README are made anew.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync }
    from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../lib/cluster.mjs';
import { D, HUM, P, Person, launch } from './page.mjs';
import { Scene, conf, leave, states } from './scene.mjs';

/* What stands side by side in www/doc. */
const doc = {
	'room.webp': ['room-desktop-light-en'],
	'phones.webp': ['private-phone-light-zh', 'room-phone-dark-en',
	    'menu-phone-light-en', 'list-phone-dark-zh'],
};
let [dir, ...only] = process.argv.slice(2);
if (!dir) {
	process.stderr.write('usage: shots.mjs DIRECTORY|--doc ' +
	    '[part of a name...]\n');
	process.exit(2);
}
const forDoc = dir === '--doc';
if (forDoc) {
	dir = mkdtempSync(join(tmpdir(), 'cchat-shots-'));
	only = Object.values(doc).flat();
} else {
	mkdirSync(dir, { recursive: true });
}

const wanted = [];
for (const size of ['desktop', 'phone'])
	for (const theme of ['light', 'dark'])
		for (const lang of ['en', 'zh'])
			wanted.push([size, theme, lang]);

let bad = 0;
const series = async (b, s, size, theme, lang) => {
	const names = Object.keys(states).map(n => `${n}-${size}-${theme}-${lang}`);
	if (only.length && !names.some(n => only.some(o => n.includes(o))))
		return;
	const context = await b.newContext({ viewport: size === 'phone' ? P : D,
	    locale: lang === 'zh' ? 'zh-CN' : 'en-GB', colorScheme: theme,
	    hasTouch: size === 'phone', isMobile: size === 'phone',
	    reducedMotion: 'reduce' });
	context.setDefaultTimeout(15000);
	/* no question in front of it */
	await context.addInitScript(() => localStorage.setItem('cc.offered', '1'));
	const p = await Person.open(b, s.url, { context });
	for (const [state, enter] of Object.entries(states)) {
		const name = `${state}-${size}-${theme}-${lang}`;
		try {
			if (await enter(p, s) === false) {
				console.log(`${name}: not there`);
				continue;
			}
		} catch (e) {
			bad++;
			console.log(`${name}: ${e.message.split('\n').slice(0, 4)
			    .join(' ')}`);
		}
		if (only.length && !only.some(o => name.includes(o)))
			continue;
		await p.frames(3);
		await p.page.screenshot({ path: join(dir, `${name}.png`) });
	}
	await leave(p).catch(() => {});
	await context.close();
};

/* The pictures beside each other, as small as they can be. */
const compose = async b => {
	const page = await b.newPage();
	for (const [file, names] of Object.entries(doc)) {
		const urls = names.map(n => `data:image/png;base64,${readFileSync(
		    join(dir, `${n}.png`)).toString('base64')}`);
		const url = await page.evaluate(async all => {
			const GAP = 16;
			const list = await Promise.all(all.map(async u => {
				const i = new Image();
				i.src = u;
				await i.decode();
				return i;
			}));
			const to = document.createElement('canvas');
			to.width = list.reduce((n, i) => n + i.width + GAP, -GAP);
			to.height = Math.max(...list.map(i => i.height));
			let x = 0;
			for (const i of list) {
				to.getContext('2d').drawImage(i, x, 0);
				x += i.width + GAP;
			}
			return to.toDataURL('image/webp', .86);
		}, urls);
		const at = join(dirname(fileURLToPath(import.meta.url)),
		    '../../www/doc', file);
		writeFileSync(at, Buffer.from(url.split(',')[1], 'base64'));
	}
	await page.close();
	rmSync(dir, { recursive: true });
};

const c = await Cluster.start({ msgs: 1, conf });
const b = await launch(HUM);
try {
	const s = await Scene.fill(c);
	for (const w of wanted)
		await series(b, s, ...w);
	await s.close();
	if (forDoc)
		await compose(b);
} finally {
	await b.close();
	await c.stop();
}
process.exitCode = bad ? 1 : 0;
