/**
 * Messages as the kit reads them: a second, strict and plain reading of RFC 9112, independent of the product's codec,
 * so that both ends of every wire test judge the bytes that Cutover really sent.
 */
import { type ByteSource, IncompleteError, ViolationError } from './byte-source.ts';

export type Field = readonly [name: string, value: string];
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close';

export interface Head {
  readonly startLine: string;
  readonly fields: readonly Field[];
}

export interface RequestHead extends Head {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly framing: BodyFraming;
  readonly length: number;
}

export interface ResponseHead extends Head {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly framing: BodyFraming;
  readonly length: number;
}

export interface Body {
  readonly bytes: Buffer;
  readonly trailers: readonly Field[];
}

/** The first value of a field, whatever its case, or undefined. */
export function field(head: { readonly fields: readonly Field[] }, name: string): string | undefined {
  return fieldValues(head, name)[0];
}

/** All values of a field in the order of their lines. */
export function fieldValues(head: { readonly fields: readonly Field[] }, name: string): readonly string[] {
  return head.fields.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** The next request head of a connection, or null when the client ended between messages. */
export async function readRequestHead(source: ByteSource): Promise<RequestHead | null> {
  const startLine = await source.line();
  if (startLine === null) return null;
  const [, method, target, version] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\s]+) (HTTP\/1\.[01])$/.exec(startLine) ??
    violation(`Request line ${JSON.stringify(startLine)}`);
  const fields = await readFields(source);
  return {
    startLine,
    fields,
    method: method as string,
    target: target as string,
    version: version as string,
    ...framingOf(fields, 'none'),
  };
}

/** The next response head, interim ones included. `method` is that of the request it answers. */
export async function readResponseHead(source: ByteSource, method: string): Promise<ResponseHead> {
  const startLine = await source.line();
  if (startLine === null) throw new IncompleteError('Connection ended before an answer');
  const [, version, status, reason] =
    /^(HTTP\/1\.1) ([1-5][0-9][0-9]) (.*)$/.exec(startLine) ?? violation(`Status line ${JSON.stringify(startLine)}`);
  const fields = await readFields(source);
  const code = Number(status);
  const bodiless = method === 'HEAD' || code < 200 || code === 204 || code === 304;
  if ((code < 200 || code === 204) && fields.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))) {
    violation(`Framing fields in a ${code}`);
  }
  const framing = bodiless ? { framing: 'none' as const, length: 0 } : framingOf(fields, 'until-close');
  return { startLine, fields, version: version as string, status: code, reason: reason as string, ...framing };
}

/** The body that follows a head. */
export async function readBody(
  source: ByteSource,
  head: { readonly framing: BodyFraming; readonly length: number },
): Promise<Body> {
  switch (head.framing) {
    case 'none':
      return { bytes: Buffer.alloc(0), trailers: [] };
    case 'length':
      return { bytes: await source.take(head.length), trailers: [] };
    case 'until-close':
      return { bytes: await source.rest(), trailers: [] };
    case 'chunked':
      return readChunked(source);
  }
}

async function readChunked(source: ByteSource): Promise<Body> {
  const parts: Buffer[] = [];
  try {
    for (;;) {
      const line = await source.line();
      if (line === null) throw new IncompleteError('Connection ended before the last chunk');
      if (!/^[0-9a-fA-F]{1,8}$/.test(line)) violation(`Chunk line ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      if (size === 0) return { bytes: Buffer.concat(parts), trailers: await readFields(source) };
      parts.push(await source.take(size));
      const end = await source.line();
      if (end === null) throw new IncompleteError('Connection ended behind chunk data');
      if (end !== '') violation('Chunk data is longer than its size');
    }
  } catch (error) {
    if (error instanceof IncompleteError) error.partial = Buffer.concat([...parts, error.partial]);
    throw error;
  }
}

async function readFields(source: ByteSource): Promise<Field[]> {
  const fields: Field[] = [];
  for (;;) {
    const line = await source.line();
    if (line === null) throw new IncompleteError('Connection ended inside a head');
    if (line === '') return fields;
    const [, name, value] =
      /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? violation(`Field line ${JSON.stringify(line)}`);
    fields.push([name as string, value as string]);
  }
}

function framingOf(
  fields: readonly Field[],
  otherwise: BodyFraming,
): { readonly framing: BodyFraming; readonly length: number } {
  const lengths = fieldValues({ fields }, 'content-length');
  const codings = fieldValues({ fields }, 'transfer-encoding');
  if (codings.length > 0) {
    if (lengths.length > 0) violation('Both Content-Length and Transfer-Encoding');
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') violation(`Transfer-Encoding ${codings.join()}`);
    return { framing: 'chunked', length: 0 };
  }
  if (lengths.length === 0) return { framing: otherwise, length: 0 };
  if (lengths.length > 1 || !/^[0-9]{1,15}$/.test(lengths[0] as string)) violation(`Content-Length ${lengths.join()}`);
  const length = Number(lengths[0]);
  return { framing: length === 0 ? 'none' : 'length', length };
}

function violation(what: string): never {
  throw new ViolationError(`${what} is not strict HTTP/1.1`);
}
