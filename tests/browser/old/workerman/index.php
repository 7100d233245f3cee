<!DOCTYPE html>
<!-- SPDX-License-Identifier: MIT -->
<!--
  A page that treats a server as that of workerman-chat does: JSON put together
  by hand, what comes written into the document as HTML, a list by client_id,
  a ping answered, a new connection as soon as the old one is gone. Written for
  the tests; the port is said by ?port=.
-->
<html>
<head>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>people of an older system</title>
<style>body { font: 14px sans-serif }</style>
</head>
<body onload="dial()">
<div id="log"></div>
<ul id="people"></ul>
<form onsubmit="speak(); return false">
<select id="whom"><option value="all">everybody</option></select>
<textarea id="text"></textarea>
<input type="submit" value="say">
</form>
<script>
var query = new URLSearchParams(location.search);
var room = query.get('room_id') || 1, port = query.get('port');
var ws, me, nick, people = {};

function quote(s) {
	return s.replace(/"/g, '\\"').replace(/\n/g, '\\n').replace(/\r/g, '\\r');
}

function dial() {
	ws = new WebSocket('ws://' + document.domain + ':' + port);
	ws.onopen = function () {
		nick = nick || prompt('your name', '') || 'guest';
		ws.send('{"type":"login","client_name":"' + quote(nick) +
		    '","room_id":' + room + '}');
	};
	ws.onmessage = function (e) { hear(JSON.parse(e.data)); };
	ws.onclose = dial;
}

function show(id, name, html, time) {
	document.getElementById('log').insertAdjacentHTML('beforeend',
	    '<div class="one" data-id="' + id + '"><b class="name">' + name +
	    '</b> <i>' + time + '</i><p>' + html.replace(/https?:\/\/\S+/g,
	    function (url) {
		return '<a href="' + url + '">' + url + '</a>';
	    }) + '</p></div>');
}

function hear(f) {
	if (f.type === 'ping') {
		ws.send('{"type":"pong"}');
	} else if (f.type === 'login') {
		if (f.client_list) {
			me = f.client_id;
			people = f.client_list;
		} else {
			people[f.client_id] = f.client_name;
		}
		show(f.client_id, f.client_name, (f.client_list ? 'you' :
		    f.client_name) + ' came in', f.time);
	} else if (f.type === 'say') {
		show(f.from_client_id, f.from_client_name, f.content, f.time);
	} else if (f.type === 'logout') {
		show(f.from_client_id, f.from_client_name,
		    f.from_client_name + ' went', f.time);
		delete people[f.from_client_id];
	}
	if (f.type === 'login' || f.type === 'logout')
		list();
}

function list() {
	var ul = '', options = '<option value="all">everybody</option>', id;
	var whom = document.getElementById('whom'), was = whom.value;
	for (id in people) {
		ul += '<li id="' + id + '">' + people[id] + '</li>';
		if (id !== me)
			options += '<option value="' + id + '">' + people[id] +
			    '</option>';
	}
	document.getElementById('people').innerHTML = ul;
	whom.innerHTML = options;
	whom.value = was;
}

function speak() {
	var whom = document.getElementById('whom');
	var text = document.getElementById('text');
	ws.send('{"type":"say","to_client_id":"' + whom.value +
	    '","to_client_name":"' + whom.selectedOptions[0].textContent +
	    '","content":"' + quote(text.value) + '"}');
	text.value = '';
}
</script>
</body>
</html>
