/** Whether something grows, or only goes up and down. */

/** Standard errors that growth has to be away from none: chance alone has it that far once in some hundreds of runs. */
const SURE = 3;

/**
 * The line that fits best by least squares, and the standard error of its slope.
 *
 * @param {readonly (readonly [x: number, y: number])[]} points three at least
 */
export function fit(points) {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (count - 2) / spread) };
}

/**
 * @param {{ readonly slope: number, readonly error: number }} line
 * @param {number} span of x
 * @param {number} matters growth over the span that nobody cares about
 */
export function grows({ slope, error }, span, matters) {
  return slope > SURE * error && slope * span > matters;
}
