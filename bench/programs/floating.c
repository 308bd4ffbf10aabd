/* Doubles: the gravity of five bodies, step by step, and a sum of roots and quotients. */
#include "start.h"

enum { BODIES = 5, STEPS = 1000000 };

static double x[BODIES][3], v[BODIES][3], mass[BODIES];

static double root(double a) {
  double r;
  __asm__("sqrtsd %1, %0" : "=x"(r) : "x"(a));
  return r;
}

static void step(double dt) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      double d[3], square = 0;
      for (int n = 0; n < 3; n++) {
        d[n] = x[i][n] - x[j][n];
        square += d[n] * d[n];
      }
      double scale = dt / (square * root(square));
      for (int n = 0; n < 3; n++) {
        v[i][n] -= d[n] * mass[j] * scale;
        v[j][n] += d[n] * mass[i] * scale;
      }
    }
  for (int i = 0; i < BODIES; i++)
    for (int n = 0; n < 3; n++) x[i][n] += dt * v[i][n];
}

static u32 run(void) {
  for (int i = 0; i < BODIES; i++) {
    mass[i] = 1.0 / (1 + 9 * i);
    for (int n = 0; n < 3; n++) {
      x[i][n] = (i * 7 + n * 5) % 11 + i;
      v[i][n] = ((i * 3 + n) % 5 - 2) * 0.1;
    }
  }
  double sum = 0;
  for (int n = 0; n < STEPS; n++) {
    step(0.001);
    if (x[0][0] > x[1][0]) sum += 1.0 / (n + 1);
  }
  for (int i = 0; i < BODIES; i++) sum += x[i][0] + v[i][1];
  return (u32)(s32)(sum * 1e6);
}
