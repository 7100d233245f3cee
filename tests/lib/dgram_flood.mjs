/* SPDX-License-Identifier: MIT */
/*
 * Throws datagrams at a port, RATE a second for SECONDS, from ADDRESS, and says
 * how many it was: node dgram_flood.mjs PORT RATE SECONDS ADDRESS TEXT
 */
import { createSocket } from 'node:dgram';

const [port, rate, seconds, from] = process.argv.slice(2, 6)
    .map((a, i) => i < 3 ? Number(a) : a);
const text = Buffer.from(process.argv[6]);
const s = createSocket('udp4');
s.on('message', () => { got++; });
let sent = 0, got = 0;
s.bind(0, from, () => s.connect(port, '127.0.0.1', () => {
	const began = performance.now();
	const turn = () => {
		const t = (performance.now() - began) / 1000;
		if (t >= seconds) {
			console.log(JSON.stringify({ sent, got, seconds: t }));
			s.close();
			return;
		}
		const due = Math.min(Math.floor(t * rate) - sent, 2000);
		for (let i = 0; i < due; i++)
			s.send(text);
		sent += Math.max(due, 0);
		setImmediate(turn);
	};
	turn();
}));
