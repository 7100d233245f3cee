/* SPDX-License-Identifier: MIT */
/*
 * Charts as SVG: points and the lines fitted to them on logarithmic axes, and
 * curves over time; readable on light and on dark ground, by colour and by
 * shape. No tools beyond node.
 */
const W = 560, H = 320, L = 62, R = 14, T = 46, B = 44;
const COLORS = [['#1f6fb2', '#6cb6f5'], ['#b2511f', '#f5a06c'],
    ['#2f8f4e', '#7fd79b']];

const esc = s => String(s).replace(/[&<>"]/g, c =>
    ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const n1 = v => String(Math.round(v * 10) / 10);

/* 10000 as 10k */
const tick = v => v === 0 ? '0' : v >= 1e6 ? `${v / 1e6}M` : v >= 1e3 ? `${v / 1e3}k` :
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

/* the beginning of a sheet: what it is, and how it looks */
function
sheet(o)
{
	const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ` +
	    `${H}" role="img" aria-label="${esc(o.series.map(s => s.name)
	    .join(', '))} by ${esc(o.x)}">`, '<style>',
	    'text{font:12px system-ui,sans-serif;fill:#333}',
	    '.g{stroke:#d8d8d8;stroke-width:1}.f{stroke-width:1.5;fill:none}' +
	    '.d{stroke-dasharray:5 4}'];
	const colors = which => COLORS.forEach((c, i) =>
	    out.push(`.s${i}{fill:${c[which]}}.l${i}{stroke:${c[which]}}`));
	colors(0);
	out.push('@media(prefers-color-scheme:dark){text{fill:#ddd}' +
	    '.g{stroke:#444}');
	colors(1);
	out.push('}', '</style>');
	return out;
}

const across = (out, x, text) => out.push(
    `<path class="g" d="M${n1(x)} ${T}V${H - B}"/>`,
    `<text x="${n1(x)}" y="${H - B + 17}" text-anchor="middle">${text}</text>`);
const along = (out, y, text) => out.push(
    `<path class="g" d="M${L} ${n1(y)}H${W - R}"/>`,
    `<text x="${L - 7}" y="${n1(y + 4)}" text-anchor="end">${text}</text>`);
const legend = (out, i, name) => out.push(shape(i, L + 6, 12 + 18 * i),
    `<text x="${L + 18}" y="${16 + 18 * i}">${esc(name)}</text>`);
const finish = (out, o) => {
	out.push(`<text x="${n1((L + W - R) / 2)}" y="${H - 8}" ` +
	    `text-anchor="middle">${esc(o.x)}</text>`, '</svg>', '');
	return out.join('\n');
};

/*
 * o: {x, series: [{name, points: [[x, y]], fit: {a, b, r2}?, from?}]}; the
 * fitted line begins at `from`, where what was fitted does
 */
export function
chart(o)
{
	const all = o.series.flatMap(s => s.points);
	const [x0, x1] = decades(all.map(p => p[0]));
	const [y0, y1] = decades(all.map(p => p[1]));
	const X = v => L + (Math.log10(v) - x0) / (x1 - x0) * (W - L - R);
	const Y = v => H - B - (Math.log10(v) - y0) / (y1 - y0) * (H - T - B);
	const out = sheet(o);
	for (let d = x0; d <= x1; d++)
		across(out, X(10 ** d), tick(10 ** d));
	for (let d = y0; d <= y1; d++)
		along(out, Y(10 ** d), tick(10 ** d));
	o.series.forEach((s, i) => {
		const f = s.fit;
		legend(out, i, s.name + (f ? `: n^${f.b.toFixed(2)}, ` +
		    `r² ${f.r2.toFixed(3)}` : ''));
		if (f) {
			/* as far as it is one, and stays on the sheet */
			const at = x => f.a * x ** f.b;
			const xs = s.points.map(p => p[0]).filter(x =>
			    x >= (s.from ?? 0) && at(x) >= 10 ** y0 && at(x) <= 10 ** y1);
			if (xs.length > 1)
				out.push(`<path class="f d l${i}" d="M` +
				    `${n1(X(xs[0]))} ${n1(Y(at(xs[0])))}L` +
				    `${n1(X(xs.at(-1)))} ${n1(Y(at(xs.at(-1))))}"/>`);
		}
		for (const [x, y] of s.points)
			out.push(shape(i, X(x), Y(y)));
	});
	return finish(out, o);
}

/* the same over time: both axes from 0, even steps */
export function
curve(o)
{
	const all = o.series.flatMap(s => s.points);
	const step = v => {
		const p = 10 ** Math.floor(Math.log10(v / 4));
		return [1, 2, 5, 10].map(k => k * p).find(k => v / k <= 6);
	};
	const xm = Math.max(...all.map(p => p[0]));
	const ym = Math.max(...all.map(p => p[1])) * 1.05;
	const X = v => L + v / xm * (W - L - R);
	const Y = v => H - B - v / ym * (H - T - B);
	const out = sheet(o);
	for (let v = 0; v <= xm; v += step(xm))
		across(out, X(v), tick(v));
	for (let v = 0; v <= ym; v += step(ym))
		along(out, Y(v), tick(v));
	o.series.forEach((s, i) => {
		legend(out, i, s.name);
		out.push(`<path class="f l${i}" d="M${s.points.map(([x, y]) =>
		    `${n1(X(x))} ${n1(Y(y))}`).join('L')}"/>`);
		for (const [x, y] of s.points)
			out.push(shape(i, X(x), Y(y)));
	});
	return finish(out, o);
}
