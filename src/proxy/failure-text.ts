/** The cause of a failed attempt as the log shows it (thesis section 6.2.2). */

export function connectFailureText(where: string, cause: string): string {
  return `dial tcp ${where}: ${cause}`;
}

export function lostConnectionText(where: string, cause: string): string {
  return `read tcp ${where}: ${cause}`;
}

const EXHAUSTION = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** The connection failed for want of something on this side: nothing was asked of the server. */
export function isExhaustion(error: NodeJS.ErrnoException): boolean {
  return EXHAUSTION.has(error.code ?? '');
}

/** The cause of a socket error in the words of the thesis's log. */
export function causeOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
      return 'connection reset by peer';
    case 'EPIPE':
      return 'broken pipe';
    case 'EHOSTUNREACH':
      return 'no route to host';
    case 'ENETUNREACH':
      return 'network is unreachable';
    case 'ETIMEDOUT':
      return 'connection timed out';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many open files';
    case 'EADDRNOTAVAIL':
      return 'cannot assign requested address';
    case 'ENOBUFS':
    case 'ENOMEM':
      return 'out of memory';
    default:
      return error.code ?? error.message;
  }
}
