/* SPDX-License-Identifier: MIT */
/*
 * The door of PHPWebIM: its long poll (comet.h), the forms with pictures
 * (upload/upload.h), and config.js, which tells its page where the WebSocket
 * is: at the host and port the page came from; and /chatroom, the page of 2017
 * and 2019, which PHP filled in, as the file chatroom.html. A config.js of the site's own,
 * in the directory of the page, is given instead. One door, by the names of
 * the three dialects.
 */
#ifndef MSG_SERVER_DOOR_WEBIM_WEBIM_H
#define MSG_SERVER_DOOR_WEBIM_WEBIM_H

#include "msg_server/door/door.h"

extern const struct door door_webim, door_webim_2014, door_webim_2019;

#endif
