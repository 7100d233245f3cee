/* SPDX-License-Identifier: MIT */
/* The script of example.html: a chat page with nothing but the SDK. */
import { CChat } from './cchat.js';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);
const chat = new CChat();
const room = { rid: '1' };

/** @param {{seq?: number, name: string, msg: string}} m */
const show = (m) => {
	const li = document.createElement('li');
	li.textContent = `${m.name}: ${m.msg}`;
	$('log').append(li);
};

chat.on('state', (s) => { $('state').textContent = s.state; });
chat.on('message', (m) => { if (m.conv === room.rid) show(m); });
chat.on('close', (c) => { if (c.final) $('state').textContent = c.reason; });

$('login').addEventListener('submit', async (/** @type {Event} */ e) => {
	e.preventDefault();
	try {
		await chat.login({ name: $('name').value, ...room });
		const page = await chat.history(room, { limit: 20 });
		page.msgs.forEach(show);
	} catch (err) {
		$('state').textContent = String(err);
		return;
	}
	$('login').hidden = true;
	$('say').hidden = false;
	$('text').focus();
});

$('say').addEventListener('submit', (/** @type {Event} */ e) => {
	e.preventDefault();
	const msg = $('text').value;
	$('text').value = '';
	if (msg)
		chat.send(room, msg).catch((/** @type {Error} */ err) => {
			$('state').textContent = `not sent: ${err.message}`;
		});
});
