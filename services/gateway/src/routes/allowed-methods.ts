/** Tells for a path which methods the routes have for it; used only for requests that no route takes. */
export function allowedMethods(routes: readonly { readonly method: string; readonly path: string }[]) {
  const patterns = routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[a-z0-9_]+\}/g, '[^/]+')}$`),
  }));
  return (path: string): string[] => [
    ...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)),
  ];
}
