/**
 * Everything the codec refuses, each with a stable code. No line here holds bytes of a message.
 */
import type { ProtocolError } from './message.ts';

const refusal = (status: ProtocolError['status'], code: string, reason: string): ProtocolError =>
  Object.freeze({ status, code, reason });

export const refusals = {
  // Lines
  bareCr: refusal(400, 'bare-cr', 'A CR stands without its LF'),
  bareLf: refusal(400, 'bare-lf', 'An LF stands without its CR'),
  emptyLines: refusal(400, 'empty-lines', 'Too many empty lines stand before the request line'),

  // Request line
  badMethod: refusal(400, 'bad-method', 'The method is not a token'),
  badRequestLine: refusal(400, 'bad-request-line', 'The request line is not method, target and version'),
  badTarget: refusal(400, 'bad-target', 'The request target holds an octet that has no place in it'),
  badTargetForm: refusal(400, 'bad-target-form', 'The request target has no form that goes with the method'),
  badVersion: refusal(400, 'bad-version', 'The HTTP version is malformed'),
  unsupportedVersion: refusal(505, 'unsupported-version', 'Only HTTP/1.0 and HTTP/1.1 are spoken here'),
  requestLineTooLong: refusal(414, 'request-line-too-long', 'The request line is longer than is taken here'),
  connect: refusal(501, 'connect', 'CONNECT is not served here'),

  // Status line
  badStatusLine: refusal(400, 'bad-status-line', 'The status line is malformed'),
  statusLineTooLong: refusal(400, 'status-line-too-long', 'The status line is longer than is taken here'),
  prematureClose: refusal(400, 'premature-close', 'The connection closed inside the message'),

  // Field lines
  badFieldName: refusal(400, 'bad-field-name', 'A field name is not a token'),
  spaceBeforeColon: refusal(400, 'space-before-colon', 'White space stands before the colon of a field'),
  noColon: refusal(400, 'no-colon', 'A field line has no colon'),
  obsFold: refusal(400, 'obs-fold', 'A line of the field section starts with white space'),
  controlInValue: refusal(400, 'control-in-value', 'A field value holds a control character'),
  sectionTooLarge: refusal(431, 'section-too-large', 'The field section is larger than is taken here'),
  tooManyFields: refusal(431, 'too-many-fields', 'The field section has more lines than are taken here'),

  // Host
  missingHost: refusal(400, 'missing-host', 'An HTTP/1.1 request has no Host'),
  repeatedHost: refusal(400, 'repeated-host', 'Host is given more than once'),
  badHost: refusal(400, 'bad-host', 'Host is not a host with an optional port'),

  // Framing
  conflictingFraming: refusal(400, 'conflicting-framing', 'Both Content-Length and Transfer-Encoding are given'),
  framingLookalike: refusal(400, 'framing-lookalike', 'A framing field is spelled with an underscore'),
  repeatedLength: refusal(400, 'repeated-length', 'Content-Length is given more than once'),
  badLength: refusal(400, 'bad-length', 'Content-Length is not a number in range'),
  codingInHttp10: refusal(400, 'coding-in-http10', 'Transfer-Encoding has no meaning in HTTP/1.0'),
  badCoding: refusal(400, 'bad-coding', 'Transfer-Encoding is not a single, final chunked'),
  unknownCoding: refusal(501, 'unknown-coding', 'A transfer coding other than chunked is not taken here'),
  unknownExpectation: refusal(417, 'unknown-expectation', 'Only 100-continue can be expected here'),

  // Chunks
  badChunkSize: refusal(400, 'bad-chunk-size', 'A chunk size is not a hexadecimal number in range'),
  badChunkExtension: refusal(400, 'bad-chunk-extension', 'A chunk extension is malformed'),
  badChunkEnd: refusal(400, 'bad-chunk-end', 'Chunk data does not end where its size says'),
  chunkOverhead: refusal(400, 'chunk-overhead', 'The chunk lines are large beside the data they frame'),
} as const;
