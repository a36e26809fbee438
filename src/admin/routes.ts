/** The routes of a server by their methods, so that a request that meets none is told which there are. */

interface Route {
  readonly method: string;
  /** As it was registered: `:id` stands for one segment. */
  readonly url: string;
  readonly segments: readonly string[];
}

export interface Routes {
  readonly add: (methods: string | readonly string[], url: string) => void;
  /** The methods of a path; empty where there is no such path. */
  readonly methodsAt: (path: string) => readonly string[];
  /** All of them for people: `/a, /b; for POST /c`. */
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
      // What can be asked by GET can be asked by HEAD too, which nobody needs to be told.
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
