/* SPDX-License-Identifier: MIT */
/*
 * A log-log chart as SVG, of points and the lines fitted to them; readable on
 * light and on dark ground, by colour and by shape. No tools beyond node.
 */
const W = 560, H = 320, L = 62, R = 14, T = 46, B = 44;
const COLORS = [['#1f6fb2', '#6cb6f5'], ['#b2511f', '#f5a06c'],
    ['#2f8f4e', '#7fd79b']];

const esc = s => String(s).replace(/[&<>"]/g, c =>
    ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const n1 = v => String(Math.round(v * 10) / 10);

/* 10000 as 10k */
const tick = v => v >= 1e6 ? `${v / 1e6}M` : v >= 1e3 ? `${v / 1e3}k` :
    String(Number(v.toPrecision(2)));

function
shape(i, x, y)
{
	if (i % 3 === 0)
		return `<circle class="s${i}" cx="${n1(x)}" cy="${n1(y)}" r="4"/>`;
	if (i % 3 === 1)
		return `<rect class="s${i}" x="${n1(x - 3.5)}" ` +
		    `y="${n1(y - 3.5)}" width="7" height="7"/>`;
	return `<path class="s${i}" d="M${n1(x)} ${n1(y - 5)}l5 9h-10z"/>`;
}

/* the decades that hold all of v */
function
decades(v)
{
	const lo = Math.floor(Math.log10(Math.min(...v)) + 1e-9);
	const hi = Math.ceil(Math.log10(Math.max(...v)) - 1e-9);
	return [lo, Math.max(hi, lo + 1)];
}

/* o: {x, series: [{name, points: [[x, y]], fit: {a, b, r2}?}]} */
export function
chart(o)
{
	const all = o.series.flatMap(s => s.points);
	const [x0, x1] = decades(all.map(p => p[0]));
	const [y0, y1] = decades(all.map(p => p[1]));
	const X = v => L + (Math.log10(v) - x0) / (x1 - x0) * (W - L - R);
	const Y = v => H - B - (Math.log10(v) - y0) / (y1 - y0) * (H - T - B);
	const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ` +
	    `${H}" role="img" aria-label="${esc(o.series.map(s => s.name)
	    .join(', '))} by ${esc(o.x)}">`, '<style>',
	    'text{font:12px system-ui,sans-serif;fill:#333}',
	    '.g{stroke:#d8d8d8;stroke-width:1}.f{stroke-width:1.5;fill:none;' +
	    'stroke-dasharray:5 4}'];
	COLORS.forEach(([c], i) => out.push(`.s${i}{fill:${c}}.l${i}{stroke:${c}}`));
	out.push('@media(prefers-color-scheme:dark){text{fill:#ddd}' +
	    '.g{stroke:#444}');
	COLORS.forEach(([, c], i) => out.push(`.s${i}{fill:${c}}.l${i}{stroke:${c}}`));
	out.push('}', '</style>');
	for (let d = x0; d <= x1; d++) {
		const x = n1(X(10 ** d));
		out.push(`<path class="g" d="M${x} ${T}V${H - B}"/>`,
		    `<text x="${x}" y="${H - B + 17}" text-anchor="middle">` +
		    `${tick(10 ** d)}</text>`);
	}
	for (let d = y0; d <= y1; d++) {
		const y = n1(Y(10 ** d));
		out.push(`<path class="g" d="M${L} ${y}H${W - R}"/>`,
		    `<text x="${L - 7}" y="${n1(+y + 4)}" text-anchor="end">` +
		    `${tick(10 ** d)}</text>`);
	}
	o.series.forEach((s, i) => {
		const f = s.fit, name = s.name + (f ? `: n^${f.b.toFixed(2)}, ` +
		    `r² ${f.r2.toFixed(3)}` : '');
		out.push(shape(i, L + 6, 12 + 18 * i),
		    `<text x="${L + 18}" y="${16 + 18 * i}">${esc(name)}</text>`);
		if (f) {
			/* as far as it stays on the sheet */
			const at = x => f.a * x ** f.b;
			const xs = s.points.map(p => p[0]).filter(x =>
			    at(x) >= 10 ** y0 && at(x) <= 10 ** y1);
			if (xs.length > 1)
				out.push(`<path class="f l${i}" d="M${n1(X(xs[0]))} ` +
				    `${n1(Y(at(xs[0])))}L${n1(X(xs.at(-1)))} ` +
				    `${n1(Y(at(xs.at(-1))))}"/>`);
		}
		for (const [x, y] of s.points)
			out.push(shape(i, X(x), Y(y)));
	});
	out.push(`<text x="${n1((L + W - R) / 2)}" y="${H - 8}" ` +
	    `text-anchor="middle">${esc(o.x)}</text>`, '</svg>', '');
	return out.join('\n');
}
