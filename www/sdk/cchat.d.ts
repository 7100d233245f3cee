/* SPDX-License-Identifier: MIT */
/* The names of the cchat browser SDK; README.md explains them. */

export type ConnState = 'idle' | 'connecting' | 'online' | 'reconnecting' | 'closed';
/** A room (`rid`) or a private conversation (`tid`: the other's uid). */
export interface Target { rid?: string; tid?: string }
/** How far a stream was seen: epoch of the log, and seq in it. */
export type Pos = Record<string, [ep: string, seq: number]>;

export interface Login {
  /** 1 to 32 characters; shown to others, no identity. */
  name: string;
  /** Room to enter; default "1", the lobby. */
  rid?: string;
  /** From an earlier login reply, or from the site's back end. */
  token?: string;
  /** Only for sites whose back end names its users. */
  uid?: string;
  /** Name of this device, [A-Za-z0-9_-]{1,32}. */
  dev?: string;
  /** Resume from here (see `CChat.pos`). */
  pos?: Pos;
  /** Keep trying while the server cannot be reached. */
  persist?: boolean;
}
export interface LoginOk {
  uid: string; name: string; rid: string;
  /** 2, or 1 where the server knows only the five CChat messages. */
  v: 1 | 2;
  /** True for every login but the first: the SDK came back by itself. */
  again: boolean;
  /** Present when the server drew the uid: store both. */
  token?: string;
  exp?: number; now?: number; sid?: string; srv?: string;
  pos?: Record<string, { ep: string; seq: number; from?: number; n: number; full: boolean }>;
  [key: string]: unknown;
}
export interface Item {
  cmd: string;
  /** "12" for a room, "@1002" for the private conversation with 1002. */
  conv: string;
  uid: string; name: string; rid?: string; tid?: string;
  seq?: number; useq?: number; mid?: string; ts: number; cid?: string;
  /** edit, recall, react: the seq of the message it is about. */
  ref?: number;
  /** edit: the new text. */
  msg?: string;
  /** react: which, and whether it is set or taken off. */
  emo?: string; on?: boolean;
  /** title: the room's new name. */
  title?: string;
  /** I sent it, here or on another device. */
  mine: boolean;
  /** It came while catching up. */
  replay?: boolean;
  [key: string]: unknown;
}
export interface Message extends Item {
  cmd: 'message'; type: string; msg: string;
  /** Who is meant: uids. */
  at?: string[];
  /** The seq it answers. */
  re?: number;
  /** `recall`: it was taken back; `msg` is empty. */
  gone?: string;
}
/** In version 1 there is only the cid. */
export interface Ack { cid: string; seq?: number; mid?: string; ts?: number }
export interface HistoryPage {
  /** Messages, oldest first. */ msgs: Message[];
  /** The same and everything else that took a seq. */ items: Item[];
  more: boolean; ep: string; first?: number; last?: number;
  /** Lowest and highest seq of the page; 0 if it is empty. */
  from: number; to: number;
}
/** What a server may have beside login and message. */
export type Cap = 'ack' | 'history' | 'typing' | 'marks' | 'edit' | 'recall' | 'react'
  | 'title' | 'upload' | 'presence' | 'join';
/** The server's answer to an upload; `url` and `type` are for a message. */
export interface Upload {
  url: string; type: 'pic' | 'audio' | 'file'; mime: string; bytes: number;
  w?: number; h?: number; ms?: number; name?: string;
}
export interface UploadOptions {
  name?: string;
  /** How long a sound is; others then see it before they load it. */
  ms?: number;
  /** From 0 to 1. */
  onprogress?: (part: number) => void;
  signal?: AbortSignal;
}
/** Resolves when the server has stored it. */
export type Sent = Promise<Ack> & { readonly cid: string };
export interface User { uid: string; name: string; st?: 'on' | 'away' | 'off'; dev?: number }

export class CChatError extends Error {
  constructor(code: number | string, message?: string,
    more?: { cid?: string; retry?: number; rid?: string });
  /** errCode of the server, or offline, timeout, closed, network, queue,
   *  aborted, state. */
  code: number | string;
  cid?: string;
  /** A later try may succeed, after so many ms. */
  retry?: number;
  rid?: string;
}

export interface Options {
  /** Default: /ws on the page's own host. */
  url?: string;
  WebSocket?: unknown;
  /** ms; default: what the server says, else [500, 20000]. */
  backoff?: [base: number, max: number];
  /** Longest silence in ms; default: what the server says, else 25000. */
  heartbeat?: number;
  /** ms online until an unanswered message fails; 10000. */
  ackTimeout?: number;
  /** ms of trouble (no line, a busy server) until one fails; 300000. */
  retryFor?: number;
  /** ms until a request fails; 10000. */
  askTimeout?: number;
  /** ms from dialling to the login reply; 10000. */
  openTimeout?: number;
  /** Messages kept while offline; 200. */
  queue?: number;
  random?: () => number;
  /** For uploads, in place of XMLHttpRequest or the global fetch. */
  fetch?: typeof fetch;
}

export interface Events {
  state: { state: ConnState; retryAt?: number; tries: number };
  login: LoginOk;
  /** Caught up after a login; `missed` messages came meanwhile. */
  synced: { missed: number; full: boolean };
  message: Message;
  /** What took a seq and is no message: edit, recall, react, group, mod. */
  item: Item;
  ack: Ack;
  fail: { cid: string; error: CChatError };
  /** These seqs cannot be had (any more). */
  gap: { conv: string; from: number; to: number; why: string };
  /** The log began anew: forget what you know of the conversation. */
  reset: { conv: string; ep: string };
  newUser: { uid: string; name: string; rid: string };
  offline: { uid: string; name: string; rid: string };
  presence: { rid: string; count: number; in: User[]; out: string[] };
  /** Of those I `watch`; `last` (ms) is when the last session left. */
  status: { uid: string; st: 'on' | 'away' | 'off'; last?: number };
  mark: { conv: string; uid: string; read?: number; recv?: number };
  typing: { conv: string; uid: string; name: string; on: boolean };
  /** What a login or join says of a room. */
  room: { rid: string; title: string };
  /** A command was refused with 102: the server has less than was thought. */
  caps: { caps: ReadonlySet<Cap> };
  notice: { msg: string; level?: string };
  auth: { exp: number };
  move: { url: string; in: number; why?: string };
  /** Out of a room: it could not be entered again. */
  left: { rid: string; error: CChatError };
  /** The server refused something that nobody waits for. */
  error: CChatError;
  /** `code` is a close code, or the errCode of a login that was refused. */
  close: { code: number | string; reason: string; final: boolean };
  frame: { dir: 'in' | 'out'; data: Record<string, unknown> };
}

/** An entry of `inbox()`: a room (`rid`) or a person (`tid`). */
export interface Conversation {
  rid?: string; tid?: string; ep: string;
  seq: number; read: number;
  /** messages after `read` that are not mine; 1000 is "1000 or more" */
  unread: number;
  last: Record<string, any> | null;
}

export class CChat {
  /** Fetch all of the SDK now: nothing is fetched later. */
  static load(): Promise<void>;
  constructor(options?: Options);
  readonly state: ConnState;
  readonly v: number;
  readonly me: { uid: string; name: string } | null;
  readonly rooms: string[];
  readonly pos: Pos;
  readonly caps: ReadonlySet<Cap>;
  /** Where urls like `/u/...` in messages lie: `new URL(m.msg, chat.origin)`. */
  readonly origin: string;
  readonly limit: { msg: number; rate: [number, number] | null; rooms: number };
  on<K extends keyof Events>(type: K, fn: (e: Events[K]) => void,
    opt?: { once?: boolean; signal?: AbortSignal }): () => void;
  /** Dial ahead of the first `login()`, which then finds the line there.
   *  Lost, or not used within `openTimeout`, it is closed (`state`, `close`
   *  tell it), and `login()` dials itself; one in time has `openTimeout` anew. */
  connect(): void;
  login(who: Login): Promise<LoginOk>;
  send(to: Target, msg: string, opt?: { type?: string; cid?: string; at?: string[]; re?: number }): Sent;
  edit(of: Target, ref: number, msg: string): Sent;
  recall(of: Target, ref: number): Sent;
  react(of: Target, ref: number, emo: string, on?: boolean): Sent;
  title(rid: string, title: string): Sent;
  upload(blob: Blob, opt?: UploadOptions): Promise<Upload>;
  sendFile(to: Target, blob: Blob, opt?: UploadOptions & { type?: string; cid?: string }): Sent;
  /** I am writing (or stopped): call it at every key, it is throttled. */
  typing(to: Target, on?: boolean): void;
  cancel(cid: string): boolean;
  history(of: Target, opt?: { before?: number; after?: number; around?: number; limit?: number }):
    Promise<HistoryPage>;
  /** Oldest first from `from`, or newest first down from it (`reverse`). */
  historyAll(of: Target, opt?: { from?: number; reverse?: boolean }): AsyncGenerator<Message, void>;
  historyAll(of: Target, opt: { from?: number; reverse?: boolean; items: true }): AsyncGenerator<Item, void>;
  online(rid: string, max?: number): Promise<{ count: number; users: User[] }>;
  users(uids: string[]): Promise<User[]>;
  inbox(max?: number): Promise<Conversation[]>;
  join(rid: string): Promise<{ rid: string }>;
  leave(rid: string): Promise<void>;
  mark(of: Target, read: number): void;
  /** Who read a message of mine: at most `max` uids of `nread`. */
  marks(of: Target, seq: number, max?: number): Promise<{ nread: number; nrecv: number; read: string[] }>;
  watch(uids: string[]): Promise<void>;
  status(st: 'on' | 'away'): Promise<void>;
  auth(token: string): Promise<Record<string, unknown>>;
  ask(cmd: string, keys: Record<string, unknown>): Promise<Record<string, any>>;
  cid(): string;
  retry(): void;
  close(): void;
}
