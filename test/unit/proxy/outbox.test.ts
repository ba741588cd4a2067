import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../../src/proxy/buffer-pool.ts';
import { Outbox } from '../../../src/proxy/http1/outbox.ts';
import { WriteTurn } from '../../../src/proxy/http1/write-turn.ts';
import type { TcpSocket } from '../../../src/proxy/tcp/socket.ts';

/** An outbox, and what its socket was given: each write, and all of it. */
function startOutbox() {
  const buffers = new BufferPool();
  const writes: Buffer[] = [];
  const socket = {
    full: false,
    writeText: (text: string) => writes.push(Buffer.from(text, 'latin1')),
    writeLent: (text: string, bytes: Buffer, from: number, to: number) =>
      writes.push(Buffer.concat([Buffer.from(text, 'latin1'), bytes.subarray(from, to)])),
    writePooled: (buffer: Buffer, count: number) => {
      writes.push(Buffer.from(buffer.subarray(0, count)));
      buffers.give(buffer);
    },
    closeSoon: () => writes.push(Buffer.from('<closed>')),
  };
  const turn = new WriteTurn();
  const outbox = new Outbox(socket as unknown as TcpSocket, { writes: turn, buffers });
  return { outbox, writes, sent: () => Buffer.concat(writes).toString('latin1') };
}

/** Lends bytes, and overwrites them as soon as they are not lent any more. */
function lend(outbox: Outbox, text: string): void {
  const bytes = Buffer.from(`..${text}..`, 'latin1');
  outbox.bytes(bytes, 2, 2 + text.length);
  bytes.fill('!');
}

const turnEnds = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each([35, 1024, 1025, 10_000, 60_000])('a head and a body of %i bytes leave in one write', async (length) => {
  const { outbox, writes } = startOutbox();
  const body = 'b'.repeat(length);
  outbox.text('head ');
  lend(outbox, body);
  outbox.text(' end');
  outbox.flush();
  expect(writes).toHaveLength(0);
  await turnEnds();
  expect(writes.map(String)).toEqual([`head ${body} end`]);
});

test('what is larger than a buffer of the pool leaves at once, behind what was gathered before it', () => {
  const { outbox, sent } = startOutbox();
  outbox.text('head ');
  lend(outbox, 'a'.repeat(2000));
  lend(outbox, 'b'.repeat(70_000));
  expect(sent()).toBe(`head ${'a'.repeat(2000)}${'b'.repeat(70_000)}`);
});

test('a connection that is to be closed is closed behind everything', async () => {
  const { outbox, sent } = startOutbox();
  lend(outbox, 'a'.repeat(5000));
  outbox.text('end');
  outbox.flushAndClose();
  await turnEnds();
  expect(sent()).toBe(`${'a'.repeat(5000)}end<closed>`);
});

describe('whatever is given, in whatever pieces', () => {
  const length = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 70_000 }));
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('text', 'bytes'), length }),
    fc.record({ kind: fc.constantFrom('flush', 'flush now', 'turn'), length: fc.constant(0) }),
  );

  test('is sent once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { outbox, sent } = startOutbox();
        let given = '';
        for (const [index, { kind, length }] of steps.entries()) {
          const piece = String.fromCharCode(0xc0 + index).repeat(length);
          if (kind === 'text' || kind === 'bytes') given += piece;
          if (kind === 'text') outbox.text(piece);
          else if (kind === 'bytes') lend(outbox, piece);
          else if (kind === 'flush') outbox.flush();
          else if (kind === 'flush now') outbox.flushNow();
          else await turnEnds();
        }
        outbox.flush();
        await turnEnds();
        expect(sent() === given).toBe(true);
      }),
    );
  });
});
