#!/bin/sh
# The gradtape command, as at a terminal: what it prints, the files that it leaves, exit statuses, bad input.
#
#     sh tests/command.sh PATH/TO/gradtape docs/command-line.md
gradtape=$(realpath "$1")
page=$(cat "$2") || exit 1
room=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$room"; rm -rf "$room"' EXIT
cd "$room" || exit 1
failures=0 checks=0

# wrong WHAT: counts a failure, and shows what the last command printed.
wrong() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    tail -5 out | sed 's/^/    out: /'
    tail -20 err | sed 's/^/    err: /'
}

# expect STATUS ARGUMENTS...: runs the command; its output stands in the files out and err.
expect() {
    wanted=$1
    shift
    checks=$((checks + 1))
    "$gradtape" "$@" >out 2>err </dev/null
    got=$?
    [ "$got" = "$wanted" ] || wrong "gradtape $*: exit status $got, expected $wanted"
}

# says FILE TEXT: a line of the file has the text.
says() {
    checks=$((checks + 1))
    grep -qF -e "$2" "$1" || wrong "expected \"$2\" in $1"
}

# at_least NUMBER NAME: the line of the report that begins with that name has such a number.
at_least() {
    checks=$((checks + 1))
    awk -v least="$1" -v name="$2" '$1 == name { found = $2 >= least } END { exit !found }' out ||
        wrong "$2: expected at least $1"
}

# A table of flowers with a header, a column of text, gaps, and labels that follow from the others; y is a number.
awk 'BEGIN {
    print "size,color,weight,kind,y"
    split("red,green,blue", colors, ",")
    state = 7
    for (i = 0; i < 240; i++) {
        state = (state * 16807) % 2147483647; size = state / 2147483647 * 10
        state = (state * 16807) % 2147483647; weight = state / 2147483647 * 100 + 1000
        color = colors[i % 3 + 1]
        kind = color == "red" ? "rose" : size > 5 ? "iris, blue" : "tulip"
        printf "%s,%s,%.2f,%s,%.3f\n", i % 20 == 3 ? "" : sprintf("%.3f", size), color, weight,
            kind == "iris, blue" ? "\"iris, blue\"" : kind, size * 3 + (weight - 1000) / 10
    }
}' >flowers.csv
cut -d, -f1-3 flowers.csv >unlabelled.csv

# ---- help, and what is misspelt ----
expect 0 help
says out "train"
expect 0 --version
for command in train predict evaluate info summary plot diff bench export; do
    expect 0 help $command
    says out "Usage: gradtape $command"
    expect 0 $command --help
    expect 2 $command
    says err "gradtape $command: expected "
    expect 2 $command --no-such-option
    says err "unknown option --no-such-option"
done
expect 2
expect 2 fly
says err 'unknown command "fly"'
expect 2 train flowers.csv --epochs many
says err 'expects an integer (got "many")'
expect 2 train flowers.csv --epochs
expect 2 train flowers.csv --epochs 0
expect 2 train flowers.csv another.csv
expect 2 train flowers.csv --task guess
expect 2 train flowers.csv --layers 64,many
expect 2 train flowers.csv --missing perhaps

expect 2 train flowers.csv --columns ""
says err "--columns expects A,B, not nothing"
expect 2 train flowers.csv --held-out 0.6 --validation 0.4
says err "leave too few rows to train on"
expect 2 train flowers.csv --max-categories 0
says err "--max-categories must be at least 1"
expect 1 train flowers.csv --label kind --threads 4294967297
says err "2147483647 threads"

# ---- outputs, which replace nothing that is read, and are known to be possible before the training ----
cp flowers.csv kept.csv
ln -s flowers.csv link.csv
for output in "--output flowers.csv" "--output link.csv" "--output ./flowers.csv" "--history flowers.csv" \
    "--output a.svg --curves a.svg"; do
    # shellcheck disable=SC2086
    expect 1 train flowers.csv --label kind $output
    says err "the output would replace what is read, or another output"
done
expect 1 train flowers.csv --label kind --output .
says err ".: cannot be made: it is a folder"
expect 1 train flowers.csv --label kind --output ""
says err "the name of an output is empty"
expect 1 train flowers.csv --label kind --output -
says err "standard output cannot have it"
expect 1 train flowers.csv --label kind --output no/such/folder/model
says err "no/such/folder/model: cannot be made: no/such/folder: No such file or directory"
expect 2 train flowers.csv --label kind --curves run.png
says err "--curves must end with .svg"
checks=$((checks + 1))
cmp -s flowers.csv kept.csv || wrong "a refused output: expected the table as it was"
[ "$(ls)" = "$(printf 'err\nflowers.csv\nkept.csv\nlink.csv\nout\nunlabelled.csv')" ] || wrong "a refused output: expected no file"
rm link.csv

# ---- what is generated ----
expect 0 help --man
says out '.SS "gradtape train [OPTIONS] TABLE"'
says out '\fB\-\-held\-out\fR \fIPART\fR'
if command -v man >/dev/null; then
    checks=$((checks + 1))
    cp out gradtape.1
    man --warnings -E UTF-8 -l gradtape.1 >manual 2>err </dev/null
    [ -s err ] && wrong "the manual page: expected no warnings"
fi
if command -v bash >/dev/null; then
    expect 0 help --bash
    cp out completions
    checks=$((checks + 1))
    bash -c '. ./completions
        try() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=(); _gradtape gradtape "${@: -1}"; echo "${COMPREPLY[*]}"; }
        try gradtape tr; try gradtape train --ep; try gradtape help pre; try gradtape predict fl' >out 2>err
    [ "$(cat out)" = "train
--epochs
predict" ] || wrong "completions: expected train, --epochs, predict, and files"
fi

# ---- classes ----
expect 0 train flowers.csv --label kind --without y --seed 3 --history run.csv --curves run.svg
says out "240: "
says out "classes    3: iris, blue rose tulip"
says out "model      flowers.gradtape"
at_least 0.85 accuracy
says err "val_loss"
says run.csv "val_accuracy"
says run.svg "<svg"
cp flowers.gradtape first.gradtape
cp out first
expect 0 train flowers.csv --label kind --without y --seed 3 --quiet
checks=$((checks + 1))
cmp -s flowers.gradtape first.gradtape || wrong "the same seed: expected the same file"
[ -s err ] && wrong "--quiet: expected nothing on standard error"
expect 0 train flowers.csv --label=3 --without=4 -o other.gradtape -q -e 3 --layers 8 --dropout 0.1 -b 16 -r 0.01
says out "epochs     3"

expect 1 train flowers.csv --label kind -q -e 2 -r 1e30 --layers 8 --optimizer sgd -o none.gradtape
says err 'the loss was not finite in any epoch'
checks=$((checks + 1))
[ -e none.gradtape ] && wrong "a loss that is not finite: expected no model"
expect 1 train flowers.csv --label kind --task numbers -o none.gradtape
says err 'labels are text, hence classes (column "kind")'

expect 0 predict flowers.gradtape unlabelled.csv
says out '"iris, blue"'
checks=$((checks + 1))
[ "$(wc -l <out)" -eq 241 ] || wrong "expected a line for each row"
cp out predictions
awk -F, 'BEGIN { OFS = "," } { print NR == 1 ? "narrow" : NR % 2 / 1000, $0 }' flowers.csv >narrow.csv
expect 0 train narrow.csv --label kind --without y -q -e 1 -o narrow.gradtape
printf 'narrow,size,color,weight\n0,1,red,1000\n3e38,1,red,1000\n' >huge.csv
expect 0 predict narrow.gradtape huge.csv
says err "warning: 1 of 2 predictions are not finite numbers, row 2 first"
printf 'size,color,weight\n' >empty.csv
expect 1 predict flowers.gradtape empty.csv
says err 'empty.csv: a header and no rows'
expect 1 train empty.csv
says err 'empty.csv: a header and no rows'
printf 'size,color,weight\n1,red,1000\ninf,red,1000\n' >huge.csv
expect 1 predict flowers.gradtape huge.csv
says err 'huge.csv:3:1: "inf" in column "size" is no finite number'
expect 1 predict flowers.gradtape unlabelled.csv --output unlabelled.csv
says err "the output would replace what is read"
for command in "export flowers.gradtape -f safetensors" "export flowers.gradtape -f txt" "plot flowers.gradtape"; do
    # shellcheck disable=SC2086
    expect 1 $command --output flowers.gradtape
    says err "the output would replace what is read"
done
expect 1 train flowers.csv --label kind --model unlabelled.csv -o none.gradtape
says err "unlabelled.csv: expected an architecture in JSON, or a model"
expect 1 train flowers.csv --columns size,color --without color --label kind -o none.gradtape
says err 'column "color" is named in --columns and in --without'
awk 'BEGIN { print "120,3,no,yes"; for (i = 0; i < 120; i++) printf "%d.5,%d,%d,%d\n", i % 17, i % 7, i % 5, i % 2 }' >counted.csv
expect 0 train counted.csv -q -e 1 -o counted.gradtape
says out "classes    2: no yes"
printf '0.5,1,2,2\n' >wrong.csv
expect 1 evaluate counted.gradtape wrong.csv
says err 'wrong.csv: row 1: the label 2 is none of the 2 classes, 0 to 1'
expect 0 predict counted.gradtape counted.csv -o -
says out prediction
expect 0 train counted.csv -q -e 1 -o counted.gradtape --label 0
says out "labels     numbers"
expect 0 predict flowers.gradtape flowers.csv --output labelled
cmp -s predictions labelled || wrong "a column of labels: expected the same predictions"
expect 0 predict flowers.gradtape unlabelled.csv --probabilities
says out 'prediction,"iris, blue",rose,tulip'
# Columns are found by their names.
awk -F, '{ print $3 "," $2 "," $1 }' unlabelled.csv >turned.csv
expect 0 predict flowers.gradtape turned.csv
cmp -s predictions out || wrong "columns in another order: expected the same predictions"
# Without a header places stand for names, and that is said.
tail -n +2 unlabelled.csv >headless.csv
expect 0 predict flowers.gradtape headless.csv
cmp -s predictions out || wrong "columns without names: expected the same predictions"
says err "warning: headless.csv has no header, as the model's table had"
expect 0 predict flowers.gradtape turned.csv
[ -s err ] && wrong "a table with a header: expected no warning"
# How many are right is what evaluate says.
expect 0 evaluate flowers.gradtape flowers.csv
at_least 0.9 accuracy
checks=$((checks + 1))
awk 'NR > 1 { print }' predictions >predicted
awk 'NR > 1 { kind = /iris, blue/ ? "\"iris, blue\"" : /rose/ ? "rose" : "tulip"; print kind }' flowers.csv >kinds
right=$(paste -d'|' predicted kinds | awk -F'|' '$1 == $2 { n++ } END { printf "%.4f", n / NR }')
says out "accuracy   $right"

# ---- numbers ----
expect 0 train flowers.csv --label y --without kind -q
says out "labels     numbers"
at_least 0.8 R2
expect 0 predict flowers.gradtape unlabelled.csv
expect 0 evaluate flowers.gradtape flowers.csv
at_least 0.8 r2_score

expect 0 train flowers.csv --without kind -q -o last.gradtape -e 5 # the last column, named by nobody
expect 0 evaluate last.gradtape flowers.csv
expect 0 evaluate other.gradtape flowers.csv # a number was its label's name

# The weights are those of the best epoch: the same as if the training had ended there.
expect 0 train flowers.csv --label y --without kind -q -r 0.05 --patience 4 --history y.csv -o long.gradtape
best=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "val_loss") at = i; next }
    NR == 2 || $at < least { least = $at; best = $1 + 1 } END { print best }' y.csv)
expect 0 train flowers.csv --label y --without kind -q -r 0.05 -e "$best" -o short.gradtape
says out "epochs     $best"
expect 0 diff long.gradtape short.gradtape
expect 1 diff long.gradtape short.gradtape --all # their optimizers differ

# An empty cell is the median of its column in training, to whatever is predicted; and so where training had none.
median=$(awk -F, 'NR > 1 { print $3 }' flowers.csv | sort -n | awk '{ x[NR] = $1 } END { print (x[120] + x[121]) / 2 }')
printf 'size,color,weight\n5,red,\n5,red,%s\n5,red,1010\n' "$median" >gaps.csv
expect 0 predict flowers.gradtape gaps.csv
checks=$((checks + 1))
awk 'NR > 1 { y[NR] = $1 } END { d = y[2] - y[3]; exit !(d * d < 1e-4 && (y[2] - y[4]) ^ 2 > 1) }' out ||
    wrong "an empty cell: expected the prediction for the median $median"

# ---- labels in a file of their own, no header, few integers ----
tail -n +2 flowers.csv | awk -F, '{ print (NR % 2) + 3, NR % 2, NR }' >plain.txt
cut -d' ' -f2- plain.txt >plain_x.txt
cut -d' ' -f1 plain.txt >plain_y.txt
expect 0 train plain_x.txt --labels plain_y.txt -o plain.gradtape -q -e 40 -r 0.01
says out "classes    2: 3 4"
at_least 0.95 accuracy
expect 0 evaluate plain.gradtape plain_x.txt --labels plain_y.txt
at_least 0.95 accuracy
expect 1 evaluate plain.gradtape plain_x.txt
says err "--labels"
for seed in 2 3 4 5; do # each part has its share of each class
    expect 0 train plain_x.txt --labels plain_y.txt -o share.gradtape -q -e 1 --seed $seed
    says out "(the most frequent class alone: 0.5000)"
done
awk 'BEGIN { for (i = 0; i < 30; i++) print i, i % 12 }' >years.txt
expect 0 train years.txt -q -e 1 # many different integers, which hardly come again
says out "labels     numbers"
expect 0 train years.txt -q -e 1 --task classes
says out "classes    12: 0 1 10 11 2"
awk 'BEGIN { print "a;y"; for (i = 0; i < 40; i++) printf "%d,5;%s\n", i, i < 20 ? "low" : "high" }' >comma.csv
expect 1 train comma.csv -q
says err 'look like numbers with a decimal comma: --decimal , reads them, --categories NAME has them as categories'
printf 'a,b\n1,x\n2,y\n(k.A.),x\n3,x\n' >words.csv
expect 1 train words.csv -q
says err 'if it stands for a missing value: --na "(k.A.)"'
printf 'a;b\n1;x\n2;y\n2,5;x\n3;x\n' >point.csv
expect 1 train point.csv -q
says err 'with --decimal , its comma is a point'
printf 'a,b\n1,x\n2,y\n,x\n3,x\n' >hole.csv
expect 1 train hole.csv -q --missing error
says err '--missing says what becomes of it: drop, mean or median'
seq 12 >one.csv
expect 1 train one.csv -q
says err 'is the last one that of the labels?'
expect 0 train comma.csv -q --decimal ,
at_least 0.8 accuracy
[ -s err ] && wrong "--decimal: expected no warning"
(echo target && cat plain_y.txt) >titled.txt # a header
expect 0 train plain_x.txt --labels titled.txt -o titled.gradtape -q -e 40 -r 0.01
cmp -s plain.gradtape titled.gradtape || wrong "labels with a header: expected the same model"
sed 's/3/three/; s/4/four/' plain_y.txt >words.txt
expect 0 train plain_x.txt --labels words.txt -o words.gradtape -q -e 40 -r 0.01
says out "classes    2: four three"
expect 0 evaluate words.gradtape plain_x.txt --labels words.txt
at_least 0.95 accuracy
expect 1 evaluate words.gradtape plain_x.txt --labels plain_y.txt
says err 'the label "4" is none of the 2 classes'
sed '7s/.*/""/' plain_y.txt >gap.txt
expect 1 train plain_x.txt --labels gap.txt -q
says err "label 7 is missing"
head -100 plain_y.txt >short.txt
expect 1 train plain_x.txt --labels short.txt -q
says err "short.txt has 100 labels for 240 rows"
sed 's/.*/5/' plain_y.txt >same.txt
expect 1 train plain_x.txt --labels same.txt -q
says err "all labels are the same"
for columns in "--columns 1" "--without 2"; do # places, where there are no names
    expect 0 train plain.txt --label 0 $columns -q -e 40 -r 0.01 -o narrow.gradtape
    says out "columns    1"
    expect 0 evaluate narrow.gradtape plain.txt
    at_least 0.95 accuracy
done
expect 0 train plain.txt --label 0 -q -e 40 -r 0.01
says out "classes    2: 3 4"
expect 0 evaluate plain.gradtape plain.txt
at_least 0.95 accuracy
[ -s err ] && wrong "a model without names: expected no warning"

# A column that is constant in training has no scale: another value in it changes little.
awk -F, 'NR == 1 { print "same," $0; next } { print "7," $0 }' flowers.csv >constant.csv
cut -d, -f1-4 constant.csv | sed 's/^7,/8,/' >other.csv
cut -d, -f1-4 constant.csv >constant_x.csv
expect 0 train constant.csv --label kind --without y -q
expect 0 predict constant.gradtape constant_x.csv -o one
expect 0 predict constant.gradtape other.csv -o two
checks=$((checks + 1))
[ "$(paste -d'|' one two | awk -F'|' '$1 != $2' | wc -l)" -lt 60 ] || wrong "a constant column: expected nearly the same predictions"

# ---- arrays ----
# 40 pictures of 8 x 8: dark ones of class 0, light ones of class 1.
awk 'BEGIN {
    pictures = "\\000\\000\\010\\003\\000\\000\\000\\050\\000\\000\\000\\010\\000\\000\\000\\010"
    labels = "\\000\\000\\010\\001\\000\\000\\000\\050"
    for (i = 0; i < 40; i++) {
        labels = labels sprintf("\\%03o", i % 2)
        for (k = 0; k < 64; k++)
            pictures = pictures sprintf("\\%03o", (i * 7 + k * 3) % 50 + i % 2 * 100)
    }
    print pictures >"pictures"
    print labels >"labels"
}'
printf "$(cat pictures)" >images-idx3-ubyte
printf "$(cat labels)" >labels-idx1-ubyte
expect 0 info images-idx3-ubyte
says out "(40, 8, 8)"
expect 0 train images-idx3-ubyte --labels labels-idx1-ubyte -q -e 20 -o pictures.gradtape
says out "classes    2: 0 1"
says out "inputs     (8, 8)"
at_least 0.95 accuracy
expect 0 evaluate pictures.gradtape images-idx3-ubyte --labels labels-idx1-ubyte
at_least 0.95 accuracy
expect 0 predict pictures.gradtape images-idx3-ubyte
expect 1 train images-idx3-ubyte -q
says err "--labels names the file"
expect 0 summary pictures.gradtape
says out "conv2d"

if python3 -c '' 2>/dev/null; then
    python3 - <<'END'
import struct, zipfile
def array(shape, numbers):
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + struct.pack("<%df" % len(numbers), *numbers)
with zipfile.ZipFile("rows.npz", "w") as file:
    file.writestr("inputs.npy", array((60, 2), [i % 7 + k for i in range(60) for k in range(2)]))
    file.writestr("targets.npy", array((60,), [i % 7 * 2.5 for i in range(60)]))
END
    expect 0 info rows.npz
    says out "(60, 2)"
    expect 0 train rows.npz --x inputs --label targets -q -e 200 -r 0.01
    says out "labels     numbers"
    at_least 0.9 R2
    expect 0 evaluate rows.gradtape rows.npz
    at_least 0.9 r2_score
    expect 1 train rows.npz
    says err '"x"'
fi

# ---- interruption ----
"$gradtape" train flowers.csv --label y --without kind -e 1000000 --patience 1000000 -o stopped.gradtape >out 2>err &
sleep 1
kill -INT $!
wait $!
status=$?
checks=$((checks + 1))
[ $status -eq 0 ] || wrong "interrupted: exit status $status, expected 0"
says out "interrupted"
expect 0 evaluate stopped.gradtape flowers.csv

# ---- looking into files ----
expect 0 info first.gradtape
says out "a gradtape model"
says out "dense/kernel"
says out "  the point of numbers is ."
says out "3 classes: "
says out "  columns, found by their names in the header"
says out "    size                    a number, "
says out "    color                   one of 3: blue green red"
says out '    kind                    the label, which evaluate needs: one of 3: "iris,'
says out "  losses     sparse_categorical_crossentropy"
checks=$((checks + 1))
grep -q '[{\]' out && wrong "info of a model: expected words, no JSON"
expect 0 info narrow.gradtape
says out "  columns, found by their places from 0 on"
says out "    1                       a number"
expect 0 info flowers.csv
says out "240 rows, 5 columns"
says out "blue green red"
printf 'day,n\n2024-01-02,1\n2024-01-03,2\n' >days.csv
expect 0 info days.csv
says out "   0 cannot be used: "
says out "is a date"
says out "   1 n "
(echo "a title" && sed 's/^7,5/none/; s/^9,5/none/' comma.csv) >titled.csv
expect 0 info titled.csv --skip-rows 1 --decimal , --na none
says out "40 rows, 2 columns"
says out "   0 a                        numbers      0.5 to 39.5, mean "
expect 2 info titled.csv --decimal point
expect 2 info titled.csv --skip-rows -1
expect 1 train days.csv
says err "leave it out with --without"
expect 0 summary first.gradtape
says out "Total params"
expect 0 plot first.gradtape --output model.svg
says model.svg "<svg"
expect 0 diff first.gradtape first.gradtape
says out "the same"
expect 1 diff first.gradtape other.gradtape
says out "dense/kernel"
says out "architecture"
expect 2 diff first.gradtape flowers.csv
says err "gradtape diff: flowers.csv"

expect 0 train flowers.csv --label kind --without y -e 3 --live -o live.gradtape # drawn once: it is no terminal
says err "val_loss"
says err "epoch 3/3"
expect 2 train flowers.csv --label kind --live --quiet

# ---- from a file ----
expect 0 info first.gradtape --json
cp out arch.json
says arch.json '"class": "normalization"'
expect 0 train flowers.csv --label kind --without y -q -e 5 --model arch.json -o again.gradtape
expect 0 info again.gradtape --json
cmp -s out arch.json || wrong "an architecture: expected the same from the model that was made from it"
sed 's/"units": 128/"units": 24/' arch.json >smaller.json
expect 0 train flowers.csv --label kind --without y -q -e 5 --model smaller.json -o smaller.gradtape
expect 0 summary smaller.gradtape
says out "Trainable params: 819 "
printf '{"table": "flowers.csv", "label": "kind", "without": ["y"], "epochs": 7, "quiet": true, "held_out": 0.3, "seed": 4,
  "layers": [24, 24], "output": "told.gradtape", "metrics": ["sparse_top_k_categorical_accuracy", "kl_divergence"],
  "optimizer": {"class": "sgd", "learning_rate": 0.05, "momentum": 0.9}}' >run.json
expect 1 train run.json # a metric for labels of another shape
sed 's/, "kl_divergence"//' run.json >told.json
expect 0 train told.json
says out "240: 144 to train on, 24 to validate with, 72 held out"
says out "epochs     7"
at_least 0.99 sparse_top_k_categorical_accuracy
expect 0 train flowers.csv -l kind --without y -e 7 -q --held-out 0.3 -s 4 --layers 24,24 -o said.gradtape --optimizer \
    '{"class": "sgd", "learning_rate": 0.05, "momentum": 0.9}' --metrics sparse_top_k_categorical_accuracy
cmp -s told.gradtape said.gradtape || wrong "told by a file: expected the model of the same options"
expect 0 train told.json -e 3 --layers 8 --rate 0.01 # what is said comes first
says out "epochs     3"
expect 0 summary told.gradtape
says out "Trainable params: 75 "
expect 0 train flowers.csv --label kind --without y -q -e 3 -o n.gradtape --optimizer adamw --loss sparse_categorical_crossentropy
printf '{"gradtape": 1, "model": {"class": "sequential", "layers": [{"class": "dense", "options": {"units": 3, "activation": "softmax"}}]}}' >plain.json
expect 0 train flowers.csv --label kind --without y -q -e 3 -o n.gradtape --model plain.json
says err "warning: nothing scales the inputs, which go up to 1099"
expect 0 train flowers.csv --label kind --without y -q -e 3 -o n.gradtape --model told.gradtape
expect 1 train flowers.csv --label y --without kind -q -e 3 -o n.gradtape --model plain.json
says err "the model must give 1 number a row (got shape (1, 3))"
expect 2 train flowers.csv --label kind -q --model plain.json --layers 3
says err "--layers and --dropout do not go with it"
expect 1 train flowers.csv --label kind --without y -q --optimizer adamm
says err 'no optimizer is known as "adamm"'
expect 1 train flowers.csv --label kind --without y -q --optimizer '{"class": "sgd", "momentun": 1}'
says err 'momentun'
expect 1 train flowers.csv --label kind --without y -q --loss 'x"y'
says err '--loss must be the name of a class'
expect 1 train flowers.csv --label kind --without y -q --model missing.json
says err "missing.json: cannot be opened"
expect 1 train flowers.csv --label kind --without y -q --model flowers.csv
# wrong_json CHANGE STATUS MESSAGE: of told.json.
wrong_json() {
    sed "$1" told.json >wrong.json
    cmp -s told.json wrong.json && wrong "$1: expected another file"
    expect "$2" train wrong.json
    says err "$3"
}
wrong_json 's/"epochs"/"epoch"/' 1 'wrong.json:1:61: unknown "epoch"; expected "table", "label"'
wrong_json 's/7, /7 /' 1 'wrong.json:1:73: this is no JSON'
wrong_json 's/ 7,/ "many",/' 1 'wrong.json:1:71: "epochs" must be an integer'
wrong_json 's/ 7,/ [7],/' 1 'wrong.json:1:71: "epochs" must be an integer'
wrong_json 's/0.3/"some"/' 1 '"held_out" must be a number'
wrong_json 's/true/1/' 1 '"quiet" must be true or false'
wrong_json 's/\["y"\]/true/' 1 '"without" must be a list, such as ["a", "b"]'
wrong_json 's/\["y"\]/[[]]/' 1 '"without" must be a list of texts or numbers'
wrong_json 's/"kind"/["kind"]/' 1 '"label" must be text'
wrong_json 's/"told.gradtape"/"t.gradtape", "table": "x.csv"/' 1 '"table" comes twice'
sed 's/\["y"\]/"y"/; s/\[24, 24\]/"24,24"/' told.json >plainly.json # lists as on a command line
expect 0 train plainly.json
cmp -s told.gradtape said.gradtape || wrong "lists as text: expected the same model"
wrong_json 's/"flowers.csv"/3.5/' 1 '3.5: cannot be opened'
wrong_json 's/"table"/"label"/' 1 'expected "table", the path of the rows'
wrong_json 's/"epochs": 7/"epochs": 0/' 2 '--epochs must be at least 1'
printf '[]' >wrong.json
expect 1 train wrong.json
says err "wrong.json:1:1: expected an object"
expect 1 train missing.json
says err "missing.json: cannot be opened"

# ---- columns of text, of a model that a C program has saved ----
# good: yes, bad: no, whatever the price.
escaped() { printf '%s' "$1" | sed 's/["\\]/\\&/g'; }
model='{"gradtape":1,"model":{"class":"functional","inputs":[{"name":"note","shape":[-1],"dtype":"text"},
    {"name":"price","shape":[-1,1],"dtype":"float32"}],"layers":[{"class":"text_vectorization","options":{"output_mode":2,
    "vocabulary":["good","bad"]}},{"class":"dense","options":{"units":2,"activation":"softmax"}}],
    "nodes":[{"layer":0,"training":-1,"wanted":1,"from":[0]},{"operation":"concatenate","options":{"axis":-1},"from":[2,1]},
    {"layer":1,"training":-1,"wanted":1,"from":[3]}],"outputs":[4]}}'
training='{"gradtape":1,"classes":["no","yes"],"optimizer":{"class":"sgd"},"losses":[{"class":"sparse_categorical_crossentropy"}],
    "metrics":[{"metric":{"class":"accuracy"}}]}'
table='{"gradtape":1,"delimiter":"","quote":"\"","decimal":",","header":"auto","skip_rows":0,"missing":"drop","missing_value":0,
    "na":["?"],"one_hot":false,"scale":1,"dtype":"float32","label_dtype":null,"named":true,
    "columns":[{"name":"price","field":0,"role":"x","integers":true,"fill":2.5},{"name":"note","field":1,"role":"text","integers":true},
    {"name":"kind","field":2,"role":"label","categories":["no","yes"]}],"classes":[]}'
header=$(printf '{"__metadata__":{"gradtape.model":"%s","gradtape.training":"%s","gradtape.table":"%s"},
    "dense/kernel":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]},"dense/bias":{"dtype":"F32","shape":[2],"data_offsets":[32,40]},
    "/optimizer/iteration":{"dtype":"I64","shape":[],"data_offsets":[40,48]},"/optimizer/learning_rate":{"dtype":"F64","shape":[],"data_offsets":[48,56]}}' \
    "$(escaped "$model")" "$(escaped "$training")" "$(escaped "$table")" | tr -d '\n')
while [ $((${#header} % 8)) -ne 0 ]; do header="$header "; done
printf "\\$(printf %o $((${#header} % 256)))\\$(printf %o $((${#header} / 256)))\\0\\0\\0\\0\\0\\0" >notes.gradtape
printf '%s' "$header" >>notes.gradtape
printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\200\77\0\0\200\77\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >>notes.gradtape
printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\360\77' >>notes.gradtape # a step, a rate
printf 'note;price;kind\ngood wine;1,5;yes\nso bad;?;no\ngood;40;no\nbad;3;\n' >notes.csv
head -4 notes.csv | cut -d';' -f1,2 >new_notes.csv
expect 0 predict notes.gradtape new_notes.csv
[ "$(cat out)" = "prediction
yes
no
yes" ] || wrong "a column of text: expected yes, no, yes"
expect 0 predict notes.gradtape new_notes.csv --missing drop # a row less
[ "$(cat out)" = "prediction
yes
yes" ] || wrong "--missing drop: expected yes, yes"
expect 1 predict notes.gradtape new_notes.csv --missing error
expect 2 predict notes.gradtape new_notes.csv --missing perhaps
says err "--missing must be error, drop, mean or median"
expect 1 evaluate notes.gradtape notes.csv
says err "--missing drop leaves such rows out"
expect 0 evaluate notes.gradtape notes.csv --missing drop
says out "rows       2"
says out "accuracy   0.5000"
printf 'yes\nno\nyes\n' >answers.txt
expect 0 evaluate notes.gradtape new_notes.csv --labels answers.txt
says out "accuracy   1.0000"
expect 2 evaluate notes.gradtape notes.csv --missing perhaps
expect 2 evaluate notes.gradtape notes.csv --decimal point
expect 2 predict notes.gradtape notes.csv --skip-rows -2
# A table that is written otherwise than that of the training.
(echo "of today" && sed 's/1,5/1.5/' notes.csv) >other_notes.csv
expect 1 predict notes.gradtape other_notes.csv --skip-rows 1
says err '"1.5" in column "price" is not a number'
expect 1 predict notes.gradtape other_notes.csv
says err "--skip-rows 1 passes over it"
expect 0 predict notes.gradtape other_notes.csv --skip-rows 1 --decimal .
sed 's/?/inf/' new_notes.csv >infinite.csv
expect 1 predict notes.gradtape infinite.csv
says err 'if it stands for a missing value: --na "inf"'
expect 0 predict notes.gradtape infinite.csv --na inf
cp out infinite
expect 0 predict notes.gradtape new_notes.csv
cmp -s out infinite || wrong "--na: expected the predictions for an empty cell"
expect 0 evaluate notes.gradtape other_notes.csv --skip-rows 1 --decimal . --missing drop
says out "accuracy   0.5000"
LC_ALL=C sed 's/gradtape\.training/gradtape.traininh/' notes.gradtape >untold.gradtape # what it was compiled with is not known
expect 1 evaluate untold.gradtape notes.csv --missing drop
says err "has no loss: it was saved without what it was compiled with"
expect 0 info notes.gradtape
says out "  the point of numbers is a comma"
says out "  an empty cell is also ?"
says out "    price                   a number, 2.5 where it is empty"
says out "    note                    text"
says out "2 classes: no yes"
expect 0 info notes.gradtape --json
cp out notes.json
expect 1 train flowers.csv --label kind --without y -q --model notes.json -o never.gradtape
says err "the model has an input for text, and train has no columns of text"
[ "$(wc -l <err)" -eq 1 ] || wrong "a model of text: expected one line"

# ---- other formats, times ----
for ending in safetensors npz json txt dot svg; do
    expect 0 export first.gradtape --output "first.$ending"
    [ -s "first.$ending" ] || wrong "expected first.$ending"
done
cmp -s first.json arch.json || wrong "export: expected the architecture as info prints it"
says first.txt "Total params"
says first.dot "digraph"
says first.svg "<svg"
expect 0 info first.npz
says out "dense_1/kernel"
expect 0 info first.safetensors
says out "dense_1/kernel"
expect 1 predict first.safetensors unlabelled.csv
says err "first.safetensors: it holds tensors and no model"
for format in json txt dot svg; do
    expect 0 export first.gradtape --format $format
    cmp -s out "first.$format" || wrong "export: expected first.$format on standard output"
done
for format in c onnx keras; do
    expect 1 export first.gradtape --output "first.$format"
    says err "not written yet"
    [ -e "first.$format" ] && wrong "expected no first.$format"
done
expect 2 export first.gradtape
expect 2 export first.gradtape --output first.exe
says err '(got "exe")'
expect 2 export first.gradtape --format npz
says err "needs an --output"
expect 1 export flowers.csv --format json
expect 0 bench first.gradtape --seconds 0.02 --batch 5
says out "input       float32 (5, 5)"
says out "prediction "
says out "training "
expect 0 bench first.gradtape --seconds 0.02 --profile
says out "in sequential/dense_1"
expect 0 bench pictures.gradtape --seconds 0.02 # a model whose input is no table
says out "(32, 8, 8)"
expect 0 bench flowers.gradtape --seconds 0.02 # numbers
expect 1 bench flowers.csv
expect 2 bench first.gradtape --batch 0

# ---- bad input ----
expect 1 train missing.csv
says err "missing.csv"
expect 1 train flowers.csv --label species
says err 'has no column "species": expected one of "size", "color"'
: >empty.csv
expect 1 train empty.csv
says err "has no rows"
head -1 flowers.csv >header.csv
expect 1 train header.csv
head -4 flowers.csv >few.csv
expect 1 train few.csv --label kind -q
says err "too few"
printf 'a,b\n1,x\n2,\n3,x\n' >gap.csv
expect 1 train gap.csv
says err "--missing drop"
expect 1 predict missing.gradtape flowers.csv
expect 1 predict flowers.csv flowers.csv
head -c 900 first.gradtape >damaged.gradtape
for command in predict evaluate; do
    expect 1 $command damaged.gradtape flowers.csv
    says err "damaged.gradtape"
done
for command in info summary plot; do
    expect 1 $command damaged.gradtape
done
LC_ALL=C sed 's/"rows"/"raws"/; s/"gradtape\.table"/"gradtape.tabla"/' first.gradtape >plain.gradtape
expect 1 predict plain.gradtape unlabelled.csv
says err "it was trained on no table"
expect 0 summary plain.gradtape
# What a file says of its table may be wrong as well; quotes have a backslash there.
for change in 's/\\"decimal\\":\\"\.\\"/\\"decimal\\":\\"x\\"/' 's/\\"field\\":1/\\"field\\":x/' \
    's/\\"header\\":\\"auto/\\"header\\":\\"outo/' 's/\\"named\\":true/\\"named\\":null/' 's/"rows":"csv"/"rows":"idx"/' \
    's/\\"role\\":\\"label/\\"role\\":\\"lobel/' 's/\\"color\\"/\\"c\\"lor/' 's/,\\"one_hot\\":true/,\\"one-hot\\":true/'; do
    LC_ALL=C sed "$change" first.gradtape >wrong.gradtape
    cmp -s first.gradtape wrong.gradtape && wrong "$change: expected another file"
    expect 1 evaluate wrong.gradtape flowers.csv
done
sed 's/green/violet/' unlabelled.csv >new.csv
expect 1 predict first.gradtape new.csv
says err '"violet"'
sed 's/green/grün/' unlabelled.csv >new.csv
expect 1 predict first.gradtape new.csv
says err '"grün"'
cut -d, -f1-2 unlabelled.csv >narrow.csv
expect 1 predict first.gradtape narrow.csv
says err '"weight"'
if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod a-w closed
    expect 1 train flowers.csv --label kind --without y -q -e 1 --output closed/model.gradtape
    says err "closed/model.gradtape"
fi
expect 1 train flowers.csv --label kind --without y -q -e 1 --output no/such/folder/model.gradtape
says err "no/such/folder"
expect 1 predict first.gradtape unlabelled.csv --output no/such/folder/out
says err "no/such/folder"
if [ -c /dev/full ]; then
    "$gradtape" predict first.gradtape unlabelled.csv >/dev/full 2>err && wrong "a full disk: expected a failure"
    says err "cannot be written"
fi

# A disk that is full after half a kilobyte: the reason is told, the old file is whole, and nothing is left over.
mkdir full && cd full || exit 1
cp ../first.gradtape ../flowers.csv ../unlabelled.csv .
cp first.gradtape flowers.gradtape
# full FILE ARGUMENTS...: the command fails to write that file.
full() {
    path=$1
    shift
    echo old >"$path"
    ls >before
    checks=$((checks + 1))
    (trap '' XFSZ && ulimit -f 1 && exec "$gradtape" "$@" >/dev/null 2>err </dev/null) && wrong "a full disk: $*: expected a failure"
    says err "$path"
    says err "File too large"
    [ "$(cat "$path")" = old ] || wrong "a full disk: $*: expected the old file"
    ls >after
    cmp -s before after || wrong "a full disk: $*: expected no other files"
}
: >before >after >err
full out.csv predict first.gradtape unlabelled.csv --output out.csv
for ending in safetensors npz json svg; do
    full out.$ending export first.gradtape --output out.$ending
done
full model.svg plot first.gradtape --output model.svg
full model.gradtape train flowers.csv --label kind --without y -q -e 1 --output model.gradtape
if [ -c /dev/full ]; then
    for command in "summary first.gradtape" "info first.gradtape" "info first.gradtape --json" "diff first.gradtape flowers.gradtape" \
        "export first.gradtape -f dot" "help" "help train" "help --man" "help --bash" "--version" "evaluate first.gradtape flowers.csv" \
        "bench first.gradtape --seconds 0.01"; do
        # shellcheck disable=SC2086
        "$gradtape" $command >/dev/full 2>err && wrong "a full disk: $command: expected a failure"
        says err "standard output: cannot be written: No space left on device"
    done
fi
cd .. || exit 1

# ---- the page ----
cut -d, -f1-4 flowers.csv | sed 's/"iris.*/iris/' >page.csv
mkdir page && cd page || exit 1
mv ../page.csv flowers.csv
cut -d, -f1-3 flowers.csv >new.csv
awk 'NR > 1 { print NR % 7 "," NR % 11 }' flowers.csv >inputs.csv
awk 'NR > 1 { print NR % 7 + NR % 11 + 0.5 }' flowers.csv >targets.csv
mkdir bin && ln -s "$gradtape" bin/gradtape
printf '%s\n' "$page" | awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' >commands
checks=$((checks + 1))
printf '%s\n' "$page" | awk '/^```json$/ { on = 1; next } /^```/ { on = 0 } on' >run.json
PATH=$PWD/bin:$PATH sh -e commands >out 2>err || wrong "a block of commands of the page fails"
report=$(printf '%s\n' "$page" | awk '/^```text$/ { on = 1; next } /^```/ { on = 0 } on && /^(rows|columns|classes|model) /')
checks=$((checks + 1))
[ "$(awk '/^(rows|columns|classes|model) / && n++ < 4' out)" = "$report" ] || wrong "the page: expected its report"
[ -s predictions.csv ] && [ -s model.svg ] && [ -s small.gradtape ] && [ -s slower.gradtape ] && [ -s weights.npz ] || wrong "the page: expected its files"

echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
