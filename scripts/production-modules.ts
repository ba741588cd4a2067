/** Prints the folders of the packages that the program needs at run time, one a line, for `make install`. */
import { readFileSync } from 'node:fs';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
for (const [folder, { dev, optional }] of Object.entries(lock.packages)) {
  // '' is the package itself; a package inside another's folder comes along with it.
  const nested = folder.lastIndexOf('node_modules/') > 0;
  if (folder !== '' && !dev && !optional && !nested) console.log(folder);
}
