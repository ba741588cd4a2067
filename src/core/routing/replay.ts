/**
 * May a request be sent again? One policy, three answers (ARCHITECTURE.md): a request that is idempotent by RFC 9110
 * section 9.2.2, or whose client says with `Idempotency-Key` that it is, may be repeated freely; any other may be sent
 * again only if no byte of it reached a server; a request whose body is gone may not.
 */
import type { RequestHead } from '../http/message.ts';

/** True when the request may be sent again although an earlier try may have reached a server. */
export function isRepeatable(request: RequestHead, furtherMethods: readonly string[]): boolean {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
    case 'PUT':
    case 'DELETE':
      return true;
    default:
      return furtherMethods.includes(request.method) || request.fields.find('idempotency-key') >= 0;
  }
}

/** True when this status says that the server failed, so that another version may know better (not 501, not 505). */
export function isServerFailure(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}
