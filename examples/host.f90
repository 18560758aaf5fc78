! A host in Fortran: a model learns an expensive function, in a loop of its own, in float64.
!
!     host_f90             20000 steps
!     host_f90 --small     3000, as the tests run it
!
! The period of a pendulum, as a multiple of that of small swings, depends on how far it swings; Gauss's
! arithmetic-geometric mean computes it exactly:  T / T0 = 1 / agm(1, cos(angle / 2)).  A network of two layers learns the
! curve from random angles, by a tape and an optimizer. The figure is its largest error on angles in between.
!
! What C hides in macros is spelled out here, in a module that one's own program takes from here and lengthens:
!
! - gt_name(...) is the function gt_name_at(here, ...); `here` is a text for messages, and c_null_ptr leaves it out.
! - Options are a pointer to a struct, and c_null_ptr gives the defaults. The struct begins with its own size, of the
!   fields that are written here: those behind them keep their defaults.
! - A shape is a struct by value, with a mark that tells it from a bare number. Its sizes are in C's order, the last
!   one runs fastest: what is x(columns, rows) in Fortran is gt_shape([rows, columns]) here, without a copy turned around.
! - An error stays pending until it is asked for; gt_check does and stops.
module gradtape
    use, intrinsic :: iso_c_binding
    implicit none

    integer(c_int), parameter :: gt_float32 = 1, gt_float64 = 2
    integer(c_intptr_t), parameter :: mark = int(z'67726164', c_intptr_t)

    type, bind(c) :: gt_shape_type
        integer(c_intptr_t) :: mark
        integer(c_int32_t) :: rank
        integer(c_int64_t) :: dims(8)
    end type

    type, bind(c) :: gt_tensors
        type(c_ptr) :: items
        integer(c_int32_t) :: count
    end type

    type, bind(c) :: gt_dense_options   ! up to its first field
        integer(c_int32_t) :: size = 16
        integer(c_int64_t) :: units = 0
    end type

    type, bind(c) :: gt_adam_options    ! up to its first field
        integer(c_int32_t) :: size = 16
        real(c_double) :: learning_rate = 1e-3_c_double
    end type

    interface
        function gt_status() bind(c)
            import
            integer(c_int) :: gt_status
        end function
        function gt_error_message() bind(c)
            import
            type(c_ptr) :: gt_error_message
        end function
        function gt_set_seed(here, seed) bind(c, name='gt_set_seed_at')
            import
            type(c_ptr), value :: here
            integer(c_int64_t), value :: seed
            integer(c_int) :: gt_set_seed
        end function
        subroutine gt_context_free(context) bind(c)
            import
            type(c_ptr), value :: context
        end subroutine

        ! What is made from here on is gone after the end of the scope, or of the tape.
        function gt_scope_begin(here) bind(c, name='gt_scope_begin_at')
            import
            type(c_ptr), value :: here
            type(c_ptr) :: gt_scope_begin
        end function
        function gt_scope_end(here, scope) bind(c, name='gt_scope_end_at')
            import
            type(c_ptr), value :: here, scope
            integer(c_int) :: gt_scope_end
        end function
        function gt_tape_begin(here, options) bind(c, name='gt_tape_begin_at')
            import
            type(c_ptr), value :: here, options
            type(c_ptr) :: gt_tape_begin
        end function
        function gt_tape_end(here, tape) bind(c, name='gt_tape_end_at')
            import
            type(c_ptr), value :: here, tape
            integer(c_int) :: gt_tape_end
        end function

        ! Tensors: from an array, which is copied, and back.
        function gt_from_data(here, data, shape, dtype) bind(c, name='gt_from_data_at')
            import
            type(c_ptr), value :: here
            real(c_double), intent(in) :: data(*)
            type(gt_shape_type), value :: shape
            integer(c_int), value :: dtype
            type(c_ptr) :: gt_from_data
        end function
        function gt_data_of(here, x, dtype) bind(c, name='gt_data_of_at')
            import
            type(c_ptr), value :: here, x
            integer(c_int), value :: dtype
            type(c_ptr) :: gt_data_of
        end function
        function gt_item(here, x) bind(c, name='gt_item_at')
            import
            type(c_ptr), value :: here, x
            real(c_double) :: gt_item
        end function

        ! Operations. Those without options have no call site either.
        function gt_subtract(a, b) bind(c)
            import
            type(c_ptr), value :: a, b
            type(c_ptr) :: gt_subtract
        end function
        function gt_square(x) bind(c)
            import
            type(c_ptr), value :: x
            type(c_ptr) :: gt_square
        end function
        function gt_tanh(x) bind(c)
            import
            type(c_ptr), value :: x
            type(c_ptr) :: gt_tanh
        end function
        function gt_mean(x) bind(c)
            import
            type(c_ptr), value :: x
            type(c_ptr) :: gt_mean
        end function

        ! Layers and optimizers.
        function gt_dense(here, options) bind(c, name='gt_Dense_at')
            import
            type(c_ptr), value :: here
            type(gt_dense_options), intent(in) :: options
            type(c_ptr) :: gt_dense
        end function
        function gt_call(here, layer, x, options) bind(c, name='gt_call_at')
            import
            type(c_ptr), value :: here, layer, x, options
            type(c_ptr) :: gt_call
        end function
        function gt_adam(here, options) bind(c, name='gt_Adam_at')
            import
            type(c_ptr), value :: here
            type(gt_adam_options), intent(in) :: options
            type(c_ptr) :: gt_adam
        end function
        function gt_watched_variables(here, tape) bind(c, name='gt_watched_variables_at')
            import
            type(c_ptr), value :: here, tape
            type(gt_tensors) :: gt_watched_variables
        end function
        function gt_minimize(here, optimizer, tape, loss, variables) bind(c, name='gt_minimize_at')
            import
            type(c_ptr), value :: here, optimizer, tape, loss
            type(gt_tensors), value :: variables
            integer(c_int) :: gt_minimize
        end function
    end interface

contains
    function gt_shape(sizes) result(shape)
        integer, intent(in) :: sizes(:)
        type(gt_shape_type) :: shape
        shape%mark = mark
        shape%rank = size(sizes)
        shape%dims = 0
        shape%dims(1:size(sizes)) = sizes
    end function

    ! A pending error ends the program with its message.
    subroutine gt_check()
        character(kind=c_char), pointer :: text(:)
        integer :: length
        if (gt_status() == 0) return
        call c_f_pointer(gt_error_message(), text, [4096])
        length = 0
        do while (text(length + 1) /= c_null_char)
            length = length + 1
        end do
        print '(*(a))', text(1:length)
        error stop 1
    end subroutine
end module

program host
    use gradtape
    implicit none
    integer, parameter :: batch = 64, width = 24
    real(c_double), parameter :: widest = 2.5_c_double   ! radians; at pi the period is infinite
    type(c_ptr), parameter :: none = c_null_ptr
    character(len=16) :: argument
    type(c_ptr) :: hidden, hidden2, last, adam
    real(c_double) :: loss, error, most
    integer :: step, steps, done
    logical :: small

    call get_command_argument(1, argument)
    small = argument == '--small'
    steps = merge(3000, 20000, small)
    most = merge(0.05_c_double, 0.02_c_double, small)

    done = gt_set_seed(none, 1_c_int64_t)
    call random_init(repeatable=.true., image_distinct=.false.)
    hidden = gt_dense(none, gt_dense_options(units=width))
    hidden2 = gt_dense(none, gt_dense_options(units=width))
    last = gt_dense(none, gt_dense_options(units=1))
    adam = gt_adam(none, gt_adam_options(learning_rate=5e-3_c_double))
    do step = 1, steps
        loss = train()
        call gt_check()
        if (mod(step, steps / 5) == 0) print '(a, i6, a, es9.2)', 'step', step, '   loss', loss
    end do
    error = largest_error()
    call gt_check()
    print '(a, f8.5, a, f6.3)', 'largest error of the period: ', error, ', expected <', most
    call gt_context_free(none)  ! layers and optimizer go with it
    if (.not. error < most) error stop 1

contains
    ! The period by Gauss's mean, which doubles its digits in every round.
    elemental function period(angle) result(t)
        real(c_double), intent(in) :: angle
        real(c_double) :: t, a, b, mean
        integer :: round
        a = 1
        b = cos(angle / 2)
        do round = 1, 8
            mean = (a + b) / 2
            b = sqrt(a * b)
            a = mean
        end do
        t = 1 / a
    end function

    ! (rows, 1), as the layers expect it
    function column(values) result(x)
        real(c_double), intent(in) :: values(:)
        type(c_ptr) :: x
        x = gt_from_data(none, values, gt_shape([size(values), 1]), gt_float64)
    end function

    function predict(x) result(y)
        type(c_ptr), intent(in) :: x
        type(c_ptr) :: y
        y = gt_tanh(gt_call(none, hidden, x, none))
        y = gt_tanh(gt_call(none, hidden2, y, none))
        y = gt_call(none, last, y, none)
    end function

    ! One step on angles that were never drawn before; the loss before it.
    function train() result(value)
        real(c_double) :: value, angles(batch)
        type(c_ptr) :: tape, loss
        call random_number(angles)
        angles = widest * angles
        tape = gt_tape_begin(none, none)
        loss = gt_mean(gt_square(gt_subtract(predict(column(angles)), column(period(angles)))))
        value = gt_item(none, loss)
        done = gt_minimize(none, adam, tape, loss, gt_watched_variables(none, tape))
        done = gt_tape_end(none, tape)
    end function

    function largest_error() result(worst)
        integer, parameter :: count = 301
        real(c_double) :: worst, angles(count)
        real(c_double), pointer :: found(:)
        type(c_ptr) :: scope, y
        integer :: i
        angles = [(widest * (i - 1) / (count - 1), i = 1, count)]
        worst = huge(worst)
        scope = gt_scope_begin(none)
        y = gt_data_of(none, predict(column(angles)), gt_float64)
        if (c_associated(y)) then
            call c_f_pointer(y, found, [count])
            worst = maxval(abs(found - period(angles)))
        end if
        done = gt_scope_end(none, scope)
    end function
end program
