// gcc: -shared -fPIC -ftls-model=initial-exec
// A library that needs thread-local storage of the static kind.
static __thread int number = 42;
static __thread char room[100];
int next(void) {
    room[99]++;
    return number += room[99] > 0;
}
