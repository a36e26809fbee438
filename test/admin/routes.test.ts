import { expect, test } from 'vitest';
import { createRoutes } from '../../src/admin/routes.ts';

const routes = createRoutes();
routes.add(['GET', 'HEAD'], '/metrics');
routes.add('GET', '/api/things');
routes.add('POST', '/api/things');
routes.add('DELETE', '/api/things/:id');

test.each([
  ['/metrics', ['GET', 'HEAD']],
  ['/metrics?x=/y', ['GET', 'HEAD']],
  ['/api/things', ['GET', 'POST']],
  ['/api/things/one', ['DELETE']],
  ['/api/things/', []],
  ['/api/things/one/two', []],
  ['/api', []],
  ['', []],
])('the methods of %s', (path, methods) => {
  expect(routes.methodsAt(path)).toEqual(methods);
});

test('are shown by method, those to read first', () => {
  expect(routes.shown()).toBe('/metrics, /api/things; for POST /api/things; for DELETE /api/things/ID');
});
