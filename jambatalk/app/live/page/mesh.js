// The mesh of a head in motion, as jambatalk/face computes it: blendshapes, neck, normals, the
// compression of the skin, and the opening of the lips.

const WRINKLED = 0.25; // as in jambatalk/render/renderer.py
const WIDTH = 7; // of a vertex that moves: position, normal, compression

export class Mesh {
  constructor(head) {
    this.head = head;
    this.count = head.positions.length / 3;
    this.shape = head.positions.slice(); // before the head's rotation
    this.moving = new Float32Array(WIDTH * this.count);
    this.points = Uint32Array.from(head.triangles, (vertex) => head.weld[vertex]);
    this.normals = new Float32Array(4 * this.count); // and areas, of the points that are not welded
    this.weights = null;
    this.opening = [0, 0, 0, 1e6];
    this.outward = [0, 0, 1];
    this.place([0, 0, 0]);
    this.openMouth();
    this.restArea = this.normals.filter((_, index) => index % 4 === 3);
  }

  // Move the vertices: blendshape weights, and the head's pitch, yaw and roll in radians.
  pose(weights, rotation) {
    this.morph(weights);
    this.place(rotation);
    this.compress();
    this.openMouth();
  }

  morph(weights) {
    const { shape, head } = this;
    if (this.weights?.every((weight, k) => weight === weights[k])) return;
    this.weights = Float32Array.from(weights);
    shape.set(head.positions);
    head.targets.forEach(({ rows, deltas }, k) => {
      const weight = weights[k];
      if (!weight) return;
      for (let i = 0, from = 0; i < rows.length; i++, from += 3) {
        const to = 3 * rows[i];
        shape[to] += weight * deltas[from];
        shape[to + 1] += weight * deltas[from + 1];
        shape[to + 2] += weight * deltas[from + 2];
      }
    });
  }

  // Turn the head on its neck, and compute normals.
  place(rotation) {
    const { shape, moving, normals, points, count, head } = this;
    const [x, y, z] = head.pivot;
    const [a, b, c, d, e, f, g, h, i] = turn(rotation);
    for (let vertex = 0, from = 0, to = 0; vertex < count; vertex++, from += 3, to += WIDTH) {
      const share = head.share[vertex];
      const u = shape[from] - x, v = shape[from + 1] - y, w = shape[from + 2] - z;
      moving[to] = shape[from] + share * (a * u + b * v + c * w - u);
      moving[to + 1] = shape[from + 1] + share * (d * u + e * v + f * w - v);
      moving[to + 2] = shape[from + 2] + share * (g * u + h * v + i * w - w);
    }
    normals.fill(0);
    for (let corner = 0; corner < points.length; corner += 3) {
      const p = points[corner], q = points[corner + 1], r = points[corner + 2];
      const P = WIDTH * p, Q = WIDTH * q, R = WIDTH * r;
      const ax = moving[Q] - moving[P], bx = moving[R] - moving[P];
      const ay = moving[Q + 1] - moving[P + 1], by = moving[R + 1] - moving[P + 1];
      const az = moving[Q + 2] - moving[P + 2], bz = moving[R + 2] - moving[P + 2];
      const nx = ay * bz - az * by, ny = az * bx - ax * bz, nz = ax * by - ay * bx;
      const area = Math.sqrt(nx * nx + ny * ny + nz * nz);
      for (let k = 0; k < 3; k++) {
        const to = 4 * points[corner + k];
        normals[to] += nx;
        normals[to + 1] += ny;
        normals[to + 2] += nz;
        normals[to + 3] += area;
      }
    }
    for (let vertex = 0, to = 3; vertex < count; vertex++, to += WIDTH) {
      const from = 4 * head.weld[vertex];
      const nx = normals[from], ny = normals[from + 1], nz = normals[from + 2];
      const length = Math.max(Math.sqrt(nx * nx + ny * ny + nz * nz), 1e-20);
      moving[to] = nx / length;
      moving[to + 1] = ny / length;
      moving[to + 2] = nz / length;
    }
  }

  compress() {
    const { moving, normals, restArea, count, head } = this;
    for (let vertex = 0, to = 6; vertex < count; vertex++, to += WIDTH) {
      const point = head.weld[vertex];
      const smaller = 1 - normals[4 * point + 3] / Math.max(restArea[point], 1e-12);
      moving[to] = Math.min(Math.max(smaller / WRINKLED, 0), 1);
    }
  }

  // As jambatalk/face/mouth_opening.py does.
  openMouth() {
    const { inner_lip_upper: upper, inner_lip_lower: lower, mouth_corners: corners } =
      this.head.landmarks;
    const { nose_tip: nose, chin } = this.head.landmarks;
    if (!upper || !lower || !corners) return;
    const top = this.mean(upper), bottom = this.mean(lower);
    const across = subtract(this.mean([corners[1]]), this.mean([corners[0]]));
    const third = Math.floor(upper.length / 3);
    const middle = (pairs) => this.mean(pairs.slice(third, pairs.length - third))[1];
    const height = Math.max(middle(upper) - middle(lower), 0);
    if (nose && chin) {
      const [ux, uy, uz] = across, [vx, vy, vz] = subtract(this.mean(nose), this.mean(chin));
      const forward = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
      const length = Math.max(Math.hypot(...forward), 1e-9);
      this.outward = forward.map((value) => value / length);
    }
    const centre = top.map((value, k) => (value + bottom[k]) / 2);
    this.opening = [...centre, (height * Math.hypot(...across)) / 4];
  }

  mean(vertices) {
    return [0, 1, 2].map((k) => {
      const total = vertices.reduce((sum, vertex) => sum + this.moving[WIDTH * vertex + k], 0);
      return total / vertices.length;
    });
  }
}

const subtract = (a, b) => a.map((value, k) => value - b[k]);

// The rows of Ry(yaw) Rx(pitch) Rz(roll).
function turn([pitch, yaw, roll]) {
  const [cx, sx, cy, sy, cz, sz] = [pitch, yaw, roll].flatMap((a) => [Math.cos(a), Math.sin(a)]);
  return [
    cy * cz + sy * sx * sz, sy * sx * cz - cy * sz, sy * cx,
    cx * sz, cx * cz, -sx,
    cy * sx * sz - sy * cz, sy * sz + cy * sx * cz, cy * cx,
  ];
}
