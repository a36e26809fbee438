/** The routes of a server and their methods, for 404 and 405 responses that say what exists. */

interface Route {
  readonly method: string;
  /** As registered: `:id` stands for one segment. */
  readonly url: string;
  readonly segments: readonly string[];
}

export interface Routes {
  readonly add: (methods: string | readonly string[], url: string) => void;
  /** The methods of a path; empty if there is no such path. */
  readonly methodsAt: (path: string) => readonly string[];
  /** All routes, to be shown: `/a, /b; for POST /c`. */
  readonly shown: () => string;
}

function meets({ segments }: Route, path: string): boolean {
  const asked = (path.split('?', 1)[0] ?? '').split('/');
  return (
    asked.length === segments.length &&
    segments.every((segment, i) => (segment.startsWith(':') ? asked[i] !== '' : segment === asked[i]))
  );
}

export function createRoutes(): Routes {
  const routes: Route[] = [];
  return {
    add(methods, url) {
      for (const method of typeof methods === 'string' ? [methods] : methods) {
        routes.push({ method, url, segments: url.split('/') });
      }
    },
    methodsAt: (path) => [...new Set(routes.filter((route) => meets(route, path)).map(({ method }) => method))],
    shown() {
      // Every GET route has HEAD as well, which need not be said.
      const methods = [...new Set(routes.map(({ method }) => method))].filter((method) => method !== 'HEAD');
      const urls = (method: string): string =>
        routes
          .filter((route) => route.method === method)
          .map(({ url }) => url.replaceAll(/:(\w+)/g, (_, name: string) => name.toUpperCase()))
          .join(', ');
      return methods.map((method) => (method === 'GET' ? urls(method) : `for ${method} ${urls(method)}`)).join('; ');
    },
  };
}
