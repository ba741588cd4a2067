/** Both kinds of TCP connection keep the same contract, on real sockets. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BODY_BUFFERS_MAX, BODY_BYTES, BufferPool, POOLED_BYTES_MAX } from '../../src/proxy/buffer-pool.ts';
import { type Handles, handles } from '../../src/proxy/tcp/handles.ts';
import { SHARED_BUFFER } from '../../src/proxy/tcp/read-buffers.ts';
import { type ConnectingOwner, QUEUED_BYTES_MAX, type TcpSocket } from '../../src/proxy/tcp/socket.ts';
import { Sockets } from '../../src/proxy/tcp/sockets.ts';

/** Hears what a socket tells, and lets a test wait for it. */
class Owner implements ConnectingOwner {
  readonly told: string[] = [];
  readonly chunks: Buffer[] = [];
  onBytes: ((bytes: Buffer, count: number) => void) | null = null;
  onDrained: (() => void) | null = null;
  #changed = Promise.withResolvers<void>();

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  socketConnected(): void {
    this.#tell('connected');
  }

  socketBytes(bytes: Buffer, count: number): void {
    if (this.onBytes === null) this.chunks.push(Buffer.from(bytes.subarray(0, count)));
    else this.onBytes(bytes, count);
    this.#tell(null);
  }

  socketEnded(): void {
    this.#tell('ended');
  }

  socketDrained(): void {
    this.onDrained?.();
    this.#tell('drained');
  }

  socketFinished(): void {
    this.#tell('finished');
  }

  socketClosed(error: NodeJS.ErrnoException | null): void {
    this.#tell(`closed ${error?.code ?? 'without error'}`);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changed.promise;
  }

  async untilTold(what: string): Promise<void> {
    await this.until(() => this.told.includes(what));
  }

  #tell(what: string | null): void {
    if (what !== null) this.told.push(what);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

interface Pair {
  readonly socket: TcpSocket;
  readonly owner: Owner;
  /** The other end, an ordinary socket that may be half-open. */
  readonly peer: net.Socket;
}

/** A listening server on a free port of loopback, closed with the test. */
async function listen(options: net.ServerOpts = {}): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, ...options });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as net.AddressInfo).port };
}

async function acceptOne(sockets: Sockets): Promise<Pair> {
  const { server, port } = await listen();
  const owner = new Owner();
  const accepted = new Promise<TcpSocket>((resolve) => {
    sockets.takeFrom(server, (connection) => resolve(sockets.own(connection, owner)));
  });
  const peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  peer.on('error', () => {});
  const socket = await accepted;
  onTestFinished(() => {
    peer.destroy();
    socket.close();
  });
  return { socket, owner, peer };
}

async function connectOne(sockets: Sockets): Promise<Pair> {
  const { server, port } = await listen({ pauseOnConnect: false });
  const owner = new Owner();
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const socket = sockets.connect({ address: '127.0.0.1', port }, owner);
  const [peer] = await accepted;
  peer.on('error', () => {});
  await owner.untilTold('connected');
  onTestFinished(() => {
    peer.destroy();
    socket.close();
  });
  return { socket, owner, peer };
}

/** Writes text and bytes until the socket is full; returns how often. */
function fill(socket: TcpSocket, text: string, piece: Buffer): number {
  let pieces = 0;
  while (!socket.full) {
    socket.writeLent(text, piece, 0, piece.length);
    pieces += 1;
  }
  return pieces;
}

const KINDS: readonly (readonly [string, Handles | null])[] = [
  ['on handles', handles],
  ['on public sockets', null],
];

/** Gives back what a test took of the pool. */
function takeAll(pool: BufferPool): Buffer[] {
  const taken = Array.from({ length: BODY_BUFFERS_MAX }, () => pool.takeForBody());
  onTestFinished(() => {
    for (const buffer of taken) pool.give(buffer);
  });
  return taken;
}

test('this Node has the handles that are known', () => {
  expect(handles).not.toBeNull();
});

test('small messages of all connections are read into one buffer', async () => {
  const { owner, peer } = await acceptOne(new Sockets(new BufferPool()));
  const buffers = new Set<Buffer>();
  owner.onBytes = (bytes) => buffers.add(bytes);
  peer.write('small');
  await owner.until(() => buffers.size > 0);
  expect(buffers.has(SHARED_BUFFER)).toBe(true);
});

describe.each(KINDS)('%s', (_, kind) => {
  const pool = new BufferPool();
  const sockets = new Sockets(pool, kind);

  describe.each([
    ['accepted', acceptOne],
    ['connected', connectOne],
  ] as const)('%s', (_name, open) => {
    test('text and bytes go out in order, and come in', async () => {
      const { socket, owner, peer } = await open(sockets);
      expect(socket.remoteAddress).toBe('127.0.0.1');
      const lent = Buffer.from('.lent.');
      socket.writeText('h\u00e9ad ');
      socket.writeLent('text ', lent, 1, 5);
      lent.fill('!');
      socket.writeLent('', Buffer.from(' more'), 0, 5);
      socket.writeOwn(Buffer.from(' own'));
      const pooled = pool.take(100);
      pooled.write(' pooled, and more');
      socket.writePooled(pooled, 7);
      const got: Buffer[] = [];
      peer.on('data', (bytes) => got.push(bytes));
      peer.write('request');
      await owner.until(() => owner.text === 'request');
      socket.end();
      await once(peer, 'end');
      expect(Buffer.concat(got).toString('latin1')).toBe('h\u00e9ad text lent more own pooled');
    });

    test('either side may half-close; when both have, it is closed', async () => {
      const { socket, owner, peer } = await open(sockets);
      peer.resume().end('last');
      await owner.untilTold('ended');
      expect(owner.text).toBe('last');
      socket.writeText('answer after FIN');
      socket.end();
      await once(peer, 'end');
      await owner.untilTold('closed without error');
      expect(owner.told.filter((what) => what !== 'connected' && what !== 'finished')).toEqual([
        'ended',
        'closed without error',
      ]);
    });

    test('its FIN is told, and it is read on until the peer ends too', async () => {
      const { socket, owner, peer } = await open(sockets);
      socket.end();
      await owner.untilTold('finished');
      peer.resume().end('after your FIN');
      await owner.untilTold('closed without error');
      expect(owner.text).toBe('after your FIN');
    });

    test('a reset by the peer is told with its code', async () => {
      const { owner, peer } = await open(sockets);
      peer.resetAndDestroy();
      await owner.untilTold('closed ECONNRESET');
    });

    test('it can be reset, and tells so once', async () => {
      const { socket, owner, peer } = await open(sockets);
      const error = once(peer, 'error').catch(() => null);
      peer.resume();
      socket.reset();
      socket.reset();
      socket.close();
      socket.writeText('to nobody');
      expect(owner.told).not.toContain('closed without error');
      await owner.untilTold('closed without error');
      expect(((await error) as [NodeJS.ErrnoException])[0].code).toBe('ECONNRESET');
    });

    test('a write to a peer that is gone fails, but not from within', async () => {
      const { socket, owner, peer } = await open(sockets);
      socket.pause();
      peer.resetAndDestroy();
      await once(peer, 'close');
      socket.writeText('to nobody');
      socket.writeText('to nobody');
      expect(owner.told.filter((what) => what.startsWith('closed'))).toEqual([]);
      await owner.until(() => owner.told.some((what) => /^closed (EPIPE|ECONNRESET)$/.test(what)));
    });

    test('a peer that does not read fills it; what is queued arrives whole', async () => {
      const { socket, owner, peer } = await open(sockets);
      const piece = randomBytes(200_000);
      const pieces = fill(socket, 'text', piece);
      // Public sockets call themselves full for a moment even if the kernel took all.
      if (kind !== null) expect(socket.queuedBytes).toBeGreaterThanOrEqual(QUEUED_BYTES_MAX);
      const wanted = Buffer.concat(Array.from({ length: pieces }, () => [Buffer.from('text'), piece]).flat());
      piece.fill(0);
      const got: Buffer[] = [];
      peer.on('data', (bytes) => got.push(bytes));
      await owner.untilTold('drained');
      expect([socket.full, socket.queuedBytes]).toEqual([false, 0]);
      socket.closeSoon();
      await once(peer, 'end');
      expect(Buffer.concat(got).equals(wanted)).toBe(true);
    });

    test('closing soon sends what is queued and nothing after it', async () => {
      const { socket, owner, peer } = await open(sockets);
      const piece = randomBytes(200_000);
      const pieces = fill(socket, '', piece);
      socket.closeSoon();
      socket.writeText('too late');
      let count = 0;
      peer.on('data', (bytes) => {
        count += bytes.length;
      });
      await owner.untilTold('closed without error');
      await once(peer, 'end');
      expect(count).toBe(pieces * piece.length);
    });

    test('paused it reads nothing; resumed it goes on', async () => {
      const { socket, owner, peer } = await open(sockets);
      socket.pause();
      socket.pause();
      expect(socket.paused).toBe(true);
      // More than both kernels hold: the peer's write can't end before it is read.
      const sent = randomBytes(16 * 1024 * 1024);
      let isTaken = false;
      peer.end(sent, () => {
        isTaken = true;
      });
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect([isTaken, owner.chunks.length]).toEqual([false, 0]);
      socket.resume();
      await owner.untilTold('ended');
      expect(Buffer.concat(owner.chunks).equals(sent)).toBe(true);
    });

    test('long bodies pass through it whole to a slow reader, and its buffers come back', async () => {
      const from = await open(sockets);
      const to = await open(sockets);
      const sent = randomBytes(8 * 1024 * 1024);
      from.owner.onBytes = (bytes, count) => {
        to.socket.writeLent('', bytes, 0, count);
        if (to.socket.full) from.socket.pause();
      };
      to.owner.onDrained = () => from.socket.resume();
      const got: Buffer[] = [];
      let length = 0;
      const whole = new Promise<void>((resolve) => {
        to.peer.on('data', (bytes) => {
          got.push(bytes);
          length += bytes.length;
          if (length >= sent.length) resolve();
          // Stands still now and then, so that writes have to wait.
          to.peer.pause();
          setImmediate(() => to.peer.resume());
        });
      });
      from.peer.write(sent);
      await whole;
      expect(Buffer.concat(got).equals(sent)).toBe(true);
      // A small message after the long one.
      from.peer.write('small');
      const [small] = (await once(to.peer, 'data')) as [Buffer];
      expect(small.toString('latin1')).toBe('small');
      from.socket.close();
      await from.owner.untilTold('closed without error');
      expect(new Set(takeAll(pool).map((buffer) => buffer.length))).toEqual(new Set([BODY_BYTES]));
      expect(pool.takeForBody().length).toBeLessThan(BODY_BYTES);
    });
  });

  test('a connection that is refused says so', async () => {
    const { server, port } = await listen();
    server.close();
    await once(server, 'close');
    const owner = new Owner();
    const socket = sockets.connect({ address: '127.0.0.1', port }, owner);
    expect(owner.told).toEqual([]);
    await owner.untilTold('closed ECONNREFUSED');
    expect(socket.remoteAddress).toBe('');
  });

  test('a connection may be closed before it stands', async () => {
    const { server, port } = await listen();
    const owner = new Owner();
    sockets.connect({ address: '127.0.0.1', port }, owner).close();
    await owner.untilTold('closed without error');
    expect(owner.told).toEqual(['closed without error']);
    server.close();
  });

  test('connects to an IPv6 address', async () => {
    const server = net.createServer((peer) => peer.end('six'));
    server.listen(0, '::1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const owner = new Owner();
    const socket = sockets.connect({ address: '::1', port: (server.address() as net.AddressInfo).port }, owner);
    await owner.untilTold('ended');
    expect([owner.text, socket.remoteAddress]).toEqual(['six', '::1']);
    socket.close();
  });

  test('a connection that nobody is to own is closed', async () => {
    const { server, port } = await listen();
    sockets.takeFrom(server, (accepted) => Sockets.drop(accepted));
    const peer = net.connect({ port, host: '127.0.0.1' });
    peer.resume().on('error', () => {});
    await once(peer, 'close');
  });
});

test('a buffer of the pool goes back once it has been taken, also by a connection that is closed', async () => {
  const pool = new BufferPool();
  const { socket, owner, peer } = await acceptOne(new Sockets(pool));
  // The peer reads nothing: what the kernel does not take waits.
  peer.pause();
  fill(socket, '', Buffer.alloc(POOLED_BYTES_MAX));
  const waiting = pool.take(POOLED_BYTES_MAX);
  socket.writePooled(waiting.fill('w'), waiting.length);
  expect(readyIn(pool)).not.toContain(waiting);
  peer.resume();
  await owner.untilTold('drained');
  expect(readyIn(pool)).toContain(waiting);
  socket.close();
  const late = pool.take(POOLED_BYTES_MAX);
  socket.writePooled(late, late.length);
  expect(readyIn(pool)).toContain(late);
});

/** What lies ready in the pool, which is put back. */
function readyIn(pool: BufferPool): Buffer[] {
  const taken = Array.from({ length: 40 }, () => pool.take(POOLED_BYTES_MAX));
  for (const buffer of taken) pool.give(buffer);
  return taken;
}

test('a connection that is closed within a long body gives back its own buffer, never the one that all share', async () => {
  const given: Buffer[] = [];
  const pool = new BufferPool();
  const watched = {
    take: (bytes: number) => pool.take(bytes),
    takeForBody: () => pool.takeForBody(),
    give: (buffer: Buffer) => void given.push(buffer),
  };
  const { socket, owner, peer } = await acceptOne(new Sockets(watched as BufferPool));
  let octets = 0;
  owner.onBytes = (_, count) => {
    octets += count;
  };
  peer.write(Buffer.alloc(4 * SHARED_BUFFER.length));
  await owner.until(() => octets > SHARED_BUFFER.length);
  socket.close();
  await owner.untilTold('closed without error');
  expect(given.length).toBeGreaterThan(0);
  expect(given).not.toContain(SHARED_BUFFER);
});
