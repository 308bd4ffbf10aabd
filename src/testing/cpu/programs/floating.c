/* Numbers with a fraction: printf of them, SSE2's arithmetic and conversions, long double (x87), the library's functions. */
#include <math.h>
#include <stdio.h>

int main(void) {
  double sum = 0;
  for (int i = 1; i <= 40; i++) sum += (i & 1 ? 1.0 : -1.0) / i;
  printf("%.17g %a %e\n", sum, sum, sum * 1e-300);
  float small = 0;
  for (int i = 1; i <= 100; i++) small += 1.0f / (float)i;
  printf("%.9g %d %u %lld\n", small, (int)(small * 1000), (unsigned)small, (long long)(sum * 1e15));
  long double wide = 1;
  for (int i = 1; i <= 25; i++) wide *= i;
  printf("%.20Lg %.20Lg\n", wide, 1 / wide);
  for (double x = -2; x <= 2; x += 0.75)
    printf("%.15g %.15g %.15g %.15g %.15g\n", sqrt(x + 3), sin(x), exp(x), atan2(x, 0.5), pow(2.5, x));
  printf("%g %g %g %d %d\n", INFINITY - 1, fmin(1, 2), floor(-1.5), isnan(NAN), 0.1 + 0.2 == 0.3);
  printf("%.15g %.15g %.15g\n", fmod(10.3, 3), ldexp(0.75, -1040), nextafter(1, 2));
  return 0;
}
