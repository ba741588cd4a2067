/**
 * The TCP handles that Node's own sockets stand on, reached past `node:net`: a stream with its queues and events around each
 * connection costs more than all else that a small request needs. They are not documented, and have changed: only the
 * versions named here are trusted, after a look at what is there. Elsewhere `handles` is null and the public sockets are used.
 */

/** What Node calls back with the handle as `this`. */
type Callback<A extends readonly unknown[], R = void> = (this: TcpHandle, ...args: A) => R;

export interface TcpHandle {
  /** Ours: whom its callbacks are for. */
  socket?: unknown;
  /** How many bytes are here, or why not, is in `Handles.readResult`. May return the buffer to read into from now on. */
  onread: Callback<[], Buffer | undefined>;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  shutdown(request: Request): number;
  close(done: Callback<[]>): void;
  /** With RST. */
  reset(done: Callback<[]>): number;
  getpeername(out: { address?: string }): number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, silenceS: number): number;
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
}

/** Something that the kernel was asked for and that ends later; kept alive by Node until then. */
export interface Request {
  oncomplete: (this: Request, status: number) => void;
  /** Ours. */
  socket?: unknown;
  /** Ours: octets that are being written. */
  bytes?: number;
  /** Ours: what is being written from, so that it stays, and whether it goes back to the pool then. */
  buffer?: Buffer;
  pooled?: boolean;
}

/** 0: it was taken at once. Below: the system's error number. A request: it ends later. */
export type Written = number | Request;

export interface Handles {
  newHandle(): TcpHandle;
  newConnect(): Request;
  newShutdown(): Request;
  /** Octets that were read, or the error number, when `onread` is called. */
  readResult(): number;
  writeText(handle: TcpHandle, text: string): Written;
  writeBytes(handle: TcpHandle, bytes: Buffer): Written;
  writeBoth(handle: TcpHandle, text: string, bytes: Buffer): Written;
}

interface WritingHandle extends TcpHandle {
  writeLatin1String(request: Request | null, text: string): Written;
  writeBuffer(request: Request | null, bytes: Buffer): Written;
  writev(request: Request | null, chunks: readonly (string | Buffer)[], allBuffers: boolean): Written;
}

interface StreamBinding {
  readonly WriteWrap: new () => Request;
  readonly ShutdownWrap: new () => Request;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly kLastWriteErr?: number;
}

interface TcpBinding {
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => Request;
  readonly constants: { readonly SOCKET: number };
}

const METHODS = [
  ...['useUserBuffer', 'readStart', 'readStop', 'shutdown', 'close', 'reset', 'getpeername', 'setNoDelay'],
  ...['setKeepAlive', 'connect', 'connect6', 'writeLatin1String', 'writeBuffer', 'writev'],
];

/** How `write` tells of a request that goes on: by a flag beside the request given to it, or by returning one of its own. */
type WriteStyle = 'flag' | 'returned';

const STYLES: Readonly<Record<string, WriteStyle>> = { '24': 'flag', '26': 'returned' };

/** Null where Node is not one of those known, or not as known, or where CUTOVER_PUBLIC_SOCKETS is 1. */
export const handles: Handles | null = load();

function load(): Handles | null {
  if (process.env.CUTOVER_PUBLIC_SOCKETS === '1') return null;
  const style = STYLES[process.versions.node.split('.')[0] ?? ''];
  const { binding } = process as unknown as { binding?: (name: string) => unknown };
  if (style === undefined || typeof binding !== 'function') return null;
  try {
    const stream = binding('stream_wrap') as StreamBinding;
    const tcp = binding('tcp_wrap') as TcpBinding;
    const isKnown =
      typeof stream.kReadBytesOrError === 'number' &&
      typeof stream.kLastWriteWasAsync === 'number' &&
      (style === 'returned') === (typeof stream.kLastWriteErr === 'number') &&
      METHODS.every((name) => typeof Reflect.get(tcp.TCP.prototype as object, name) === 'function');
    return isKnown ? make(stream, tcp, style) : null;
  } catch {
    return null;
  }
}

function make(stream: StreamBinding, tcp: TcpBinding, style: WriteStyle): Handles {
  const { streamBaseState: state, kReadBytesOrError } = stream;
  return {
    newHandle: () => new tcp.TCP(tcp.constants.SOCKET),
    newConnect: () => new tcp.TCPConnectWrap(),
    newShutdown: () => new stream.ShutdownWrap(),
    readResult: () => state[kReadBytesOrError] as number,
    ...(style === 'flag' ? flaggedWrites(stream) : returnedWrites(stream)),
  };
}

type Writes = Pick<Handles, 'writeText' | 'writeBytes' | 'writeBoth'>;

/** Node 24: a request is given along, and used only if the write goes on; most do not. */
function flaggedWrites({ WriteWrap, streamBaseState: state, kLastWriteWasAsync }: StreamBinding): Writes {
  let spare = new WriteWrap();
  const result = (error: Written): Written => {
    if (error !== 0 || state[kLastWriteWasAsync] === 0) return error;
    const used = spare;
    spare = new WriteWrap();
    return used;
  };
  return {
    writeText: (handle, text) => result((handle as WritingHandle).writeLatin1String(spare, text)),
    writeBytes: (handle, bytes) => result((handle as WritingHandle).writeBuffer(spare, bytes)),
    writeBoth: (handle, text, bytes) =>
      result((handle as WritingHandle).writev(spare, [text, 'latin1', bytes, 'buffer'], false)),
  };
}

/** Node 26: a request is made by Node if the write goes on. */
function returnedWrites({ streamBaseState: state, kLastWriteErr }: StreamBinding): Writes {
  const errorAt = kLastWriteErr as number;
  const result = (written: Written): Written => {
    if (typeof written === 'number') return written;
    const error = state[errorAt] as number;
    if (error !== 0) return error;
    // It may have ended within the call, before anyone could be told.
    const { writeStatus } = written as Request & { writeStatus?: number | null };
    return writeStatus ?? written;
  };
  return {
    writeText: (handle, text) => result((handle as WritingHandle).writeLatin1String(null, text)),
    writeBytes: (handle, bytes) => result((handle as WritingHandle).writeBuffer(null, bytes)),
    writeBoth: (handle, text, bytes) =>
      result((handle as WritingHandle).writev(null, [text, 'latin1', bytes, 'buffer'], false)),
  };
}
