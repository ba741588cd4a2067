import { hostPort } from './config/address.ts';

/** One line for people: why a port of Cutover's own can't be had. */
export function portFaultText(
  what: 'proxy' | 'config service',
  { host, port }: { readonly host: string; readonly port: number },
  error: { readonly code?: string | undefined; readonly message: string },
): string {
  return `Opening the ${what} port ${hostPort(host, port)} failed: ${CAUSES[error.code ?? ''] ?? error.message}`;
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is not known',
};
