// gcc: -shared -fPIC
// A library of one function that takes its time, by the name that NAME gives it.
int NAME(void) {
    volatile int sum = 0;
    for (int i = 0; i < 400000; i++) sum += i & 1;
    return NUMBER + (sum != 200000);
}
