/** Requests that are no evidence and raise no threshold (`ignorePaths`): those for exactly one of these paths. */
export function isIgnored(target: string, ignorePaths: readonly string[]): boolean {
  if (ignorePaths.length === 0) return false;
  const query = target.indexOf('?');
  return ignorePaths.includes(query < 0 ? target : target.slice(0, query));
}
