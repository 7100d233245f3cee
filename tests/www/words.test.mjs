/* SPDX-License-Identifier: MIT */
/* needs: node */
/*
 * The words of the page (page.md c.16 and (d) 55): both languages say the
 * same things, nothing is unused or missing, and none stand anywhere else.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import en from '../../www/i18n/en.js';
import enMore from '../../www/i18n/en-more.js';
import zh from '../../www/i18n/zh.js';
import zhMore from '../../www/i18n/zh-more.js';

const www = new URL('../../www/', import.meta.url);
const text = path => readFileSync(new URL(path, www), 'utf8');
const code = dir => readdirSync(new URL(dir, www)).filter(f =>
    f.endsWith('.js')).map(f => text(dir + f)).join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '');
const wanted = [...text('index.html').matchAll(/data-t="([\w.]+)"/g)]
    .map(m => m[1]);
const first = code('js/') + wanted.map(k => ` t('${k}')`).join(''),
    late = code('js/lazy/');
const base = k => k.replace(/\.(one|other)$/, '');
const holes = s => [...s.matchAll(/\{(\w+)\}/g)].map(m => m[1]).sort().join();
const all = { en: { ...en, ...enMore }, zh: { ...zh, ...zhMore } };
const bases = w => [...new Set(Object.keys(w).map(base))].sort();

test('words: both languages have the same keys, in the same modules', () => {
	assert.deepEqual(bases(zh), bases(en));
	assert.deepEqual(bases(zhMore), bases(enMore));
	for (const k of bases(enMore))
		assert.ok(!bases(en).includes(k), `${k} is in both modules`);
	for (const f of ['en', 'en-more', 'zh', 'zh-more']) {
		const keys = [...text(`i18n/${f}.js`).matchAll(/^\t'([^']+)':/gm)]
		    .map(m => m[1]);
		assert.ok(keys.length > 20, f);
		assert.deepEqual(keys.filter((k, i) => keys.indexOf(k) !== i), [],
		    `${f}: twice`);
	}
});

test('words: placeholders are equal, none is empty, plurals are whole', () => {
	const cats = { en: ['one', 'other'], zh: ['other'] };
	for (const [l, w] of Object.entries(all)) {
		assert.deepEqual(new Intl.PluralRules(l).resolvedOptions()
		    .pluralCategories.slice().sort(), cats[l]);
		for (const [k, s] of Object.entries(w)) {
			assert.ok(typeof s === 'string' && s.trim(), `${l} ${k}`);
			assert.equal(s, s.trim(), `${l} ${k}: blanks`);
			const b = base(k);
			if (b === k) {
				assert.equal(holes(s), holes(all.en[k] ?? '?'), k);
				continue;
			}
			/* a language has its own forms, all of them and no others */
			assert.deepEqual(Object.keys(w).filter(x => base(x) === b)
			    .map(x => x.slice(b.length + 1)).sort(), cats[l], k);
			assert.equal(holes(s), holes(all.en[`${b}.other`]), k);
		}
	}
});

test('words: none is unused, none is missing, and each comes in time', () => {
	/* keys put together at run time: by what they begin with */
	const made = src => [...src.matchAll(/`([a-z]+\.[\w.]*)\$\{/g)].map(m => m[1]);
	const uses = (src, k) => src.includes(`'${k}'`) ||
	    made(src).some(p => k.startsWith(p));
	for (const k of bases(all.en))
		assert.ok(uses(first, k) || uses(late, k), `${k} is unused`);
	for (const [, k] of `${first}\n${late}`.matchAll(
	    /(?<!\.)\b(?:t|has)\('([\w.]+)'/g))
		assert.ok(bases(all.en).includes(k), `${k} has no words`);
	/* what the first modules name has come with them */
	for (const k of bases(enMore))
		assert.ok(!first.includes(`'${k}'`),
		    `${k} is wanted before en-more.js has come`);
});

test('words: none in the page itself, and none in its look', () => {
	const html = text('index.html').replace(/<!--[\s\S]*?-->/g, '');
	const shown = html.replace(/<[^>]*>/g, '\n').split('\n')
	    .map(s => s.trim()).filter(Boolean);
	assert.deepEqual([...new Set(shown)], ['CChat']);
	assert.doesNotMatch(html, /\s(title|placeholder|alt|aria-label)="[^"]/);
	for (const f of ['app.css', 'more.css'])
		for (const [, s] of text(`css/${f}`).replace(/\/\*[\s\S]*?\*\//g, '')
		    .matchAll(/[\s;{]content\s*:([^;}]*)/g))
			assert.doesNotMatch(s, /\p{L}/u, `${f}: content:${s}`);
	/* what a reader is shown is no literal: Chinese is in i18n alone */
	assert.deepEqual((`${first}\n${late}`.match(
	    /.*\p{Script=Han}.*/gu) ?? []).filter(l =>
	    !/大厅|我|所有人|[，。；：！？、）】》”]/.test(l)), []);
});
