/** The path and query of a request's target, which may be a whole URL: what its host is, or whether it is one, is not asked. */
export function originForm(target: string): string {
  const path = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, '');
  return path.startsWith('/') || path === '*' ? path : `/${path}`;
}
