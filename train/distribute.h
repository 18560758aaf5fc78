/* Models, metrics and datasets of several processes that train together (optim/distribution.h). gt_fit and gt_evaluate do all
 * of this by themselves where the optimizer is distributed; a loop of one's own calls
 *
 *     gt_Optimizer *adam = gt_Distribute(gt_Adam(1e-3), MPI_COMM_WORLD);
 *     gt_Dataset *mine = gt_dataset_shard(train, gt_optimizer_ranks(adam), gt_optimizer_rank(adam));
 *     gt_build(model, ...);
 *     gt_distribute_model(adam, model);                                             then its steps, as ever
 *     gt_distribute_metric(adam, accuracy);                                         at the end of an epoch
 */
#ifndef GT_TRAIN_DISTRIBUTE_H
#define GT_TRAIN_DISTRIBUTE_H

#include "layers/layer.h"
#include "optim/distribution.h"
#include "train/metric.h"

GT_BEGIN

/* Begins together: builds the optimizer with the model's trainable variables; compares the models of all processes, paths,
 * shapes and dtypes, and returns an error in all of them where one differs; gives every process the weights of process 0,
 * those that are not trained too; and lets the draws of process r > 0, of its layers and of the default generator, depend
 * on r, so that dropout is not the same everywhere. Every process calls it. Nothing happens where the optimizer is alone. */
#define gt_distribute_model(optimizer, model) gt_distribute_model_at(GT_HERE, optimizer, model)
GT_API gt_Status gt_distribute_model_at(const char *here, gt_Optimizer *optimizer, gt_Layer *model);

/* What the metric gathered becomes what all processes gathered together: the sum of each of its states, which every built-in
 * metric has and a class of one's own must have, too. Every process calls it, at the same place between two steps. */
#define gt_distribute_metric(optimizer, metric) gt_distribute_metric_at(GT_HERE, optimizer, metric)
GT_API gt_Status gt_distribute_metric_at(const char *here, gt_Optimizer *optimizer,
                                         gt_Metric *metric);

GT_END

#endif
