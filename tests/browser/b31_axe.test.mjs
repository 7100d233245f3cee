/* SPDX-License-Identifier: MIT */
/* needs: node modules chromium build */
/*
 * page.md (d) 52: the rules of WCAG 2.0 to 2.2, A and AA, as axe-core tries
 * them, on the page in each of its states.  The page's own policy lets no
 * such script in: these pages are without it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../lib/cluster.mjs';
import { D, HUM, P, Person, launch } from './page.mjs';
import { Scene, conf, states } from './scene.mjs';

const axe = readFileSync(fileURLToPath(new URL(
    '../node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8');
let c, b, s;
before(async () => {
	c = await Cluster.start({ msgs: 1, conf });
	s = await Scene.fill(c);
	b = await launch(HUM);
});
after(async () => {
	await b?.close();
	await s?.close();
	await c?.stop();
});

const look = async p => {
	if (!await p.page.evaluate(() => 'axe' in globalThis))
		await p.page.evaluate(axe);
	const r = await p.page.evaluate(() => globalThis.axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a',
		    'wcag22aa'], resultTypes: ['violations'] }));
	assert.ok(r.passes.length > 10, 'axe looked at nothing');
	return r.violations.flatMap(v => v.nodes.map(n =>
	    `${v.id}: ${n.target} ${n.html.slice(0, 100)}`));
};

for (const [what, o] of Object.entries({
	'a desk, light': { viewport: D, colorScheme: 'light' },
	'a desk, dark': { viewport: D, colorScheme: 'dark' },
	'a phone, Chinese': { viewport: P, colorScheme: 'light', hasTouch: true,
	    isMobile: true, locale: 'zh-CN' },
}))
	test(`page 52: no violation: ${what}`, async () => {
		const context = await b.newContext({ locale: 'en-GB',
		    bypassCSP: true, reducedMotion: 'reduce', ...o });
		const p = await Person.open(b, s.url, { context });
		const bad = {}, not = [];
		for (const [name, enter] of Object.entries(states))
			if (await enter(p, s) === false)
				not.push(name);
			else
				bad[name] = await look(p);
		assert.deepEqual(Object.entries(bad).flatMap(([name, all]) =>
		    all.map(x => `${name}: ${x}`)), []);
		/* those there must be, whatever else the page has */
		for (const name of ['login', 'room', 'private', 'people', 'emoji',
		    'switcher', 'failed', 'reconnecting'])
			assert.ok(name in bad, `${name} was not looked at: ${not}`);
		await context.close();
	});
