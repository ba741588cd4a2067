/** Certificates as Docker's client and engine want them: `ca.pem`, `cert.pem` and `key.pem` in a folder. Made by openssl. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  /** Makes a folder of this name with a certificate of this authority for 127.0.0.1. */
  issue(name: string, usage: 'serverAuth' | 'clientAuth'): string;
  /** Of the authority itself. */
  readonly certificate: string;
}

/** @param folder gets a folder for the authority too */
export function makeAuthority(folder: string, name: string): Authority {
  const own = join(folder, name);
  mkdirSync(own);
  const [key, certificate] = [join(own, 'key.pem'), join(own, 'ca.pem')];
  openssl(['req', '-x509', ...newKey(key), '-days', '1', '-subj', `/CN=${name}`, '-out', certificate]);
  return {
    certificate,
    issue(issued, usage) {
      const to = join(folder, issued);
      mkdirSync(to);
      const [request, extensions] = [join(to, 'request.pem'), join(to, 'extensions')];
      writeFileSync(extensions, `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage}\n`);
      openssl(['req', ...newKey(join(to, 'key.pem')), '-subj', `/CN=${issued}`, '-out', request]);
      const by = ['-CA', certificate, '-CAkey', key, '-CAcreateserial'];
      openssl([
        'x509',
        '-req',
        '-in',
        request,
        ...by,
        '-days',
        '1',
        '-extfile',
        extensions,
        '-out',
        join(to, 'cert.pem'),
      ]);
      copyFileSync(certificate, join(to, 'ca.pem'));
      return to;
    },
  };
}

function newKey(path: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path];
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
