/*
 * Numbers with a fraction at length: solving, transforms, orbits, sets, series; single, double and extended; rounding in all directions, conversions, what is not a number, and the
 * flags of it all. The library's functions are printed to fewer digits: it has several for several processors.
 */
#include <complex.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOLVE(type, name)                                                                                              \
  static type name(void) {                                                                                             \
    enum { N = 16 };                                                                                                   \
    static type a[N][N + 1];                                                                                           \
    for (int i = 0; i < N; i++)                                                                                        \
      for (int j = 0; j <= N; j++) a[i][j] = (type)1 / (type)(1 + (i * 7 + j * 5) % 11) + (i == j ? 2 : 0);            \
    for (int c = 0; c < N; c++)                                                                                        \
      for (int r = 0; r < N; r++) {                                                                                    \
        if (r == c) continue;                                                                                          \
        type f = a[r][c] / a[c][c];                                                                                    \
        for (int j = c; j <= N; j++) a[r][j] -= f * a[c][j];                                                           \
      }                                                                                                                \
    type sum = 0;                                                                                                      \
    for (int i = 0; i < N; i++) sum += a[i][N] / a[i][i] * (i & 1 ? -1 : 1);                                           \
    return sum;                                                                                                        \
  }
SOLVE(float, solveSingle)
SOLVE(double, solveDouble)
SOLVE(long double, solveExtended)

static void orbits(void) {
  enum { BODIES = 4 };
  double p[BODIES][3] = {{0}, {4.84, -1.16, -0.10}, {8.34, 4.12, -0.40}, {12.89, -15.11, -0.22}};
  double v[BODIES][3] = {{0}, {0.6, 2.8, -0.02}, {-1.0, 1.8, 0.008}, {1.08, 0.86, -0.01}};
  static const double mass[BODIES] = {39.47, 0.037, 0.011, 0.0017};
  for (int step = 0; step < 400; step++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        double d[3], square = 0;
        for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], square += d[k] * d[k];
        double magnitude = 0.01 / (square * sqrt(square));
        for (int k = 0; k < 3; k++) v[i][k] -= d[k] * mass[j] * magnitude, v[j][k] += d[k] * mass[i] * magnitude;
      }
    for (int i = 0; i < BODIES; i++)
      for (int k = 0; k < 3; k++) p[i][k] += 0.01 * v[i][k];
  }
  for (int i = 0; i < BODIES; i++) printf("%a %a %a\n", p[i][0], p[i][1], p[i][2]);
}

static void transform(void) {
  enum { N = 128 };
  static double re[N], im[N];
  for (int i = 0; i < N; i++) re[i] = (i * 37 % 61) / 64.0, im[i] = 0;
  for (int back = 0; back < 2; back++) {
    for (int i = 1, j = 0; i < N; i++) {
      int bit = N >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) {
        double t = re[i];
        re[i] = re[j], re[j] = t, t = im[i], im[i] = im[j], im[j] = t;
      }
    }
    for (int size = 2; size <= N; size *= 2)
      for (int start = 0; start < N; start += size)
        for (int k = 0; k < size / 2; k++) {
          double angle = (back ? 2 : -2) * M_PI * k / size, c = cos(angle), s = sin(angle);
          double *x = re + start + k, *y = im + start + k, u = x[size / 2] * c - y[size / 2] * s,
                 w = x[size / 2] * s + y[size / 2] * c;
          x[size / 2] = *x - u, y[size / 2] = *y - w, *x += u, *y += w;
        }
    if (!back) printf("transform %.9g %.9g %.9g\n", re[0], re[5], im[17]);
  }
  double error = 0;
  for (int i = 0; i < N; i++) error += fabs(re[i] / N - (i * 37 % 61) / 64.0);
  printf("and back: %d\n", error < 1e-12);
}

static void set(void) {
  unsigned hash = 0;
  for (int y = -10; y <= 10; y++)
    for (int x = -20; x <= 10; x++) {
      float a = 0, b = 0;
      int n = 0;
      for (; n < 60 && a * a + b * b < 4; n++) {
        float t = a * a - b * b + (float)x / 10;
        b = 2 * a * b + (float)y / 10, a = t;
      }
      hash = hash * 31 + (unsigned)n;
    }
  printf("set %08x\n", hash);
}

static void directions(void) {
  static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  volatile double one = 1, three = 3, tiny = DBL_MIN, large = DBL_MAX;
  volatile float single = 1;
  volatile long double wide = 1;
  for (int i = 0; i < 4; i++) {
    fesetround(modes[i]);
    printf("%a %a %La %g %g ", one / three, (double)(single / (float)three), wide / three, -tiny / three, large * three);
    printf("%ld %ld %g %g %a %d\n", lrint(2.5 * one), lrint(-1.5 * one), rint(3.5 * one), nearbyint(-0.5 * one),
           (double)(float)(one / three), (int)(one * 7.9));
  }
  fesetround(FE_TONEAREST);
}

static void flags(const char *name, double result) {
  int raised = fetestexcept(FE_ALL_EXCEPT);
  printf("%s %g%s%s%s%s%s; ", name, fabs(result), raised & FE_INVALID ? " I" : "", raised & FE_DIVBYZERO ? " Z" : "",
         raised & FE_OVERFLOW ? " O" : "", raised & FE_UNDERFLOW ? " U" : "", raised & FE_INEXACT ? " P" : "");
  feclearexcept(FE_ALL_EXCEPT);
}

static void exceptions(void) {
  volatile double zero = 0, one = 1, large = DBL_MAX, tiny = DBL_MIN, none = NAN;
  volatile long double wide = LDBL_MAX, little = LDBL_MIN;
  feclearexcept(FE_ALL_EXCEPT);
  flags("0/0", zero / zero), flags("1/0", one / zero), flags("max*max", large * large), flags("min*min", tiny * tiny);
  flags("1/3", one / 3), flags("nan+1", none + one), flags("sqrt", sqrt(-one)), flags("int", (int)(large * one));
  flags("exact", one / 4), flags("denormal", tiny / 4), flags("single", (float)(tiny * one));
  flags("wide", (double)(wide * 2)), flags("little", (double)(little / 3)), flags("to double", (double)(wide * one));
  printf("\n%d %d %d %d %d\n", none == none, none < one, !(none >= one), isunordered(none, one), fpclassify(tiny / 2));
}

static void library(void) {
  for (double x = 0.1; x < 30; x *= 2.3)
    printf("%.12g %.12g %.12g %.12g %.12g %.12g %.12g\n", sin(x), cos(x), tan(x), log(x), exp(-x), pow(x, 1.7), cbrt(x));
  for (double x = -0.9; x < 1; x += 0.45)
    printf("%.12g %.12g %.12g %.12g %.12g %.12g\n", asin(x), acos(x), atan(x), sinh(x), tanh(x), erf(x));
  printf("%.12g %.12g %.12g %.6g %.6g\n", tgamma(4.5), lgamma(10.5), hypot(3, 4), (double)sinf(1.5f), (double)expf(2.5f));
  printf("%.15Lg %.15Lg %.15Lg %.15Lg\n", sinl(1.25L), expl(2.5L), logl(10), atan2l(1, -3));
  double complex z = cexp(1 + 2 * I) / (3 - I);
  printf("%.12g %.12g %.12g\n", creal(z), cimag(z), cabs(csqrt(z)));
  int exponent;
  double part, rest = modf(-3.75, &part), mantissa = frexp(1000, &exponent);
  printf("%g %g %g %d %a %a %g\n", part, rest, mantissa, exponent, scalbn(1.1, 50), remainder(17.3, 5), trunc(-7.7));
}

static void conversions(void) {
  static const double values[] = {0, -0.0, 1.5, -2.5, 1e9, 4e9, 1e18, 1.7e19, -1e30, 1e-40};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
    volatile double x = values[i];
    volatile float single = (float)x;
    uint64_t bits;
    double copy = x;
    memcpy(&bits, &copy, 8);
    printf("%016llx %a %lld ", (unsigned long long)bits, (double)single, fabs(x) < 9e18 ? (long long)x : 0);
    printf("%llu %d %u %Lg\n", x >= 0 && x < 1.8e19 ? (unsigned long long)x : 0, fabs(x) < 2e9 ? (int)x : 0,
           x >= 0 && x < 4.2e9 ? (unsigned)x : 0, (long double)single * x);
  }
  static volatile int64_t whole[] = {0, -1, INT64_MAX, INT64_MIN, 0x123456789abcdef, 1ll << 53 | 1};
  for (int i = 0; i < 6; i++)
    printf("%a %a %La %a\n", (double)whole[i], (double)(float)whole[i], (long double)whole[i], (double)(uint64_t)whole[i]);
}

int main(void) {
  printf("%.9g %.17g %.20Lg\n", solveSingle(), solveDouble(), solveExtended());
  orbits();
  transform();
  set();
  directions();
  exceptions();
  library();
  conversions();
  return 0;
}
